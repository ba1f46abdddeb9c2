"""Suggest known names in messages about unknown names."""

from collections.abc import Iterable
from difflib import get_close_matches

SIMILAR = 0.7  # difflib's ratio: "persn" is like "person", "cat" is not like "car"


def describe_unknown(given: Iterable[object], known: Iterable[str]) -> str:
    """Return unknown names as a list, each with the most similar known name if there is one."""
    by_lower = {name.lower(): name for name in known}
    close = {name: get_close_matches(str(name).lower(), by_lower, 1, SIMILAR) for name in given}
    return ", ".join(
        f"{name!r}" + (f" (did you mean {by_lower[similar[0]]!r}?)" if similar else "")
        for name, similar in close.items()
    )
