"""Find the commands of a page: its fenced blocks."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the language that it names, why no test runs it (empty: one does), and its text."""

    page: str
    line: int
    language: str
    untested: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    text, found = page.read_text(encoding="utf-8"), []
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        untested = rest.removeprefix("no-test:").strip() if rest.startswith("no-test:") else ""
        found.append(Block(page.name, line, language, untested, textwrap.dedent(match["body"])))
    return found


def commands_of(page: Path) -> list[str]:
    """Return the blocks of a page that a test runs."""
    return [block.text for block in blocks_of(page) if block.language == "sh" and not block.untested]
