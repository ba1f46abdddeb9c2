"""Say what in a run that went well deserves a look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scripts.core.text import listed

FEW_PASSED = 0.1  # of the frames that the filter's model saw
LEAST_FRAMES = 10  # of fewer, a share says little


def mostly_dropped(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows of the registry whose videos lost nine frames in ten or more to the filter, the worst first."""
    seen = [row for row in rows if int(row["looked_at"] or 0) >= LEAST_FRAMES]
    found = [row for row in seen if int(row["passed"] or 0) <= FEW_PASSED * int(row["looked_at"])]
    return sorted(found, key=lambda row: int(row["passed"] or 0) / int(row["looked_at"]))


def tell_dropped(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on these videos."""
    lost = [f"{r['video']} ({int(r['looked_at']) - int(r['passed'] or 0)} of {r['looked_at']} frames)" for r in rows]
    return f"the filter dropped nearly all of {listed(lost)}" if rows else ""


def tell_absent(classes: Sequence[str]) -> str:
    """Return a sentence on the classes that were asked for and are in no image."""
    return f"no object of class {listed(classes)} in the dataset, though detect.classes asks for it" if classes else ""
