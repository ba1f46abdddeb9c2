"""Pages under docs/ that tests write from their results: one row per outcome, listing its cases."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path


def collected(page: Path, head: str, cases: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield a place for the outcome of each case; write the page if requested and all cases ran."""
    seen: dict[str, str] = {}
    yield seen
    if os.environ.get("REELSIEVE_WRITE_DOCS") and seen.keys() == set(cases):
        text = page_text(head, {name: seen[name] for name in cases}) + rest_of(page)
        page.write_text(text, encoding="utf-8")


def page_text(head: str, outcomes: Mapping[str, str]) -> str:
    """Return a table below its head: a row per outcome, with the cases that share it in the first cell."""
    cases = defaultdict(list)
    for name, outcome in outcomes.items():
        cases[outcome].append(name)
    return head + "".join(f"| {'; '.join(names)} | {outcome} |\n" for outcome, names in cases.items())


def rest_of(page: Path) -> str:
    """Return what follows the table of outcomes: further sections, which others write."""
    return "".join(page.read_text(encoding="utf-8").partition("\n## ")[1:])


def read_outcomes(page: Path, head: str) -> dict[str, str]:
    """Return the outcome of each case in the table below a head."""
    found: dict[str, str] = {}
    for row in page.read_text(encoding="utf-8").partition(head)[2].partition("\n\n")[0].splitlines():
        names, _, outcome = row.removeprefix("| ").removesuffix(" |").partition(" | ")
        found |= dict.fromkeys(names.split("; "), outcome)
    return found


def replace_section(page: Path, title: str, text: str) -> None:
    """Write a section, from its title to the next one, or append it."""
    before, _, after = page.read_text(encoding="utf-8").partition(f"\n{title}\n")
    _, mark, others = after.partition("\n## ")
    page.write_text(f"{before}\n{title}\n\n{text}{mark}{others}", encoding="utf-8")
