"""Choose which of the frames that the filter drops are kept to be looked at."""

from collections.abc import Iterable, Mapping
from typing import Any

DROPPED = "dropped"  # their folder, beside the frames that passed
DROPPED_KEPT = 3  # per video, since those of thousands are on one page


def pick_dropped(judged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a few of the frames that the filter drops, evenly spread in time."""
    names = [row["frame"] for row in judged if row["reason"] == "too_few_objects"]
    count = min(DROPPED_KEPT, len(names))
    return [names[(2 * number + 1) * len(names) // (2 * count)] for number in range(count)]
