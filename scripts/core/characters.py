"""The door for texts from elsewhere: what people and programs get of them is short and does nothing to a terminal."""

import re
from typing import Any

MOST_CHARACTERS = 1000  # of a text that a site says; titles have up to a few hundred
MOST_ITEMS = 100  # of a list that a site says, such as tags
# What a terminal or an editor obeys instead of showing it: control characters (C0, C1), marks that turn the direction
# of writing, line separators, invisible marks, half surrogate pairs. In ranges, since Unicode's classes of characters
# differ between versions of Python.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
CUT = " [...]"


def printable(text: str) -> str:
    """Return text with spaces in place of control characters and line ends."""
    return UNSAFE.sub(" ", text)


def printable_lines(text: str) -> str:
    """Return text with spaces in place of control characters; line ends stay."""
    return "\n".join(map(printable, text.split("\n")))


def one_line(text: str, most: int = 300) -> str:
    """Return text from elsewhere as one line of at most `most` characters that is safe in a terminal."""
    text = " ".join(printable(text[: 10 * most]).split())
    if len(text) <= most:
        return text
    end = most - len(CUT)
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > end // 2 else end] + CUT  # some languages have no spaces


def as_recorded(value: Any) -> Any:
    """Return what a site or a shared file says as it may be recorded: short texts, short lists, finite numbers."""
    if isinstance(value, str):
        return one_line(value, MOST_CHARACTERS)
    if isinstance(value, dict):
        items = list(value.items())[:MOST_ITEMS]
        return {as_recorded(str(key)): as_recorded(item) for key, item in items}
    if isinstance(value, list | tuple):
        return [as_recorded(item) for item in value[:MOST_ITEMS]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 2**63 else None  # no JSON has NaN
    return one_line(str(value), MOST_CHARACTERS)
