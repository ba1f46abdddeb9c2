"""Shorten lists that people read."""

from collections.abc import Sequence

NAMED = 5


def listed(names: Sequence[str]) -> str:
    """Return the first names as a list, and the number of the others."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
