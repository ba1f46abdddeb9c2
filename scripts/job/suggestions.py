"""Guess which name was meant, for messages about unknown names."""

from collections.abc import Iterable
from difflib import get_close_matches

SIMILAR = 0.7  # difflib's ratio: "persn" is like "person", "cat" is not like "car"


def describe_unknown(given: Iterable[object], known: Iterable[str]) -> str:
    """Return names that are not known as a list, each with the known one that it is much like, if any."""
    by_lower = {name.lower(): name for name in known}
    close = {name: get_close_matches(str(name).lower(), by_lower, 1, SIMILAR) for name in given}
    said = [f"{name!r}" + (f" (did you mean {by_lower[like[0]]!r}?)" if like else "") for name, like in close.items()]
    return ", ".join(said)
