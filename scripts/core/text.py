"""Clean and shorten texts that people read."""

from collections.abc import Sequence
from textwrap import shorten

NAMED = 5


def one_line(text: str, most: int = 300) -> str:
    """Return text in which anything from the internet may stand as a line that is safe in a terminal."""
    return shorten(printable(text), most)


def printable(text: str) -> str:
    """Return text with spaces in place of what a terminal or a page would obey, line ends included."""
    return "".join(c if c.isprintable() else " " for c in text)


def listed(names: Sequence[str]) -> str:
    """Return the first names as a list, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
