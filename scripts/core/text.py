"""Clean and shorten texts that people read."""

from collections.abc import Sequence
from textwrap import shorten

NAMED = 5


def one_line(text: str, most: int = 300) -> str:
    """Return text from the internet as one line of at most `most` characters that is safe in a terminal."""
    return shorten(printable(text), most)


def printable(text: str) -> str:
    """Return text with spaces in place of control characters and line ends."""
    return "".join(c if c.isprintable() else " " for c in text)


def listed(names: Sequence[str]) -> str:
    """Return the first names as a list, and the number of the others."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
