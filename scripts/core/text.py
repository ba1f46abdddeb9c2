"""Clean and shorten texts that people read."""

import re
from collections.abc import Sequence

NAMED = 5
# What a terminal or an editor obeys instead of showing it: control characters (C0, C1), marks that turn the direction
# of writing, line separators, invisible marks, half surrogate pairs. In ranges, since Unicode's classes of characters
# differ between versions of Python.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
CUT = " [...]"


def one_line(text: str, most: int = 300) -> str:
    """Return text from elsewhere as one line of at most `most` characters that is safe in a terminal."""
    text = " ".join(printable(text[: 10 * most]).split())
    if len(text) <= most:
        return text
    end = most - len(CUT)
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > end // 2 else end] + CUT  # some languages have no spaces


def printable(text: str) -> str:
    """Return text with spaces in place of control characters and line ends."""
    return UNSAFE.sub(" ", text)


def listed(names: Sequence[str]) -> str:
    """Return the first names as a list, and the number of the others."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
