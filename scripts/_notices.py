"""Say what in a run that went well deserves a look."""

from collections.abc import Iterable, Mapping
from textwrap import shorten
from typing import Any

FEW_PASSED = 0.1  # of the frames that the filter's model saw
LEAST_FRAMES = 10  # of fewer, a share says little
LONGEST_LIST = 200


def mostly_dropped(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return which videos of the registry lost most of their frames to the filter, or nothing."""
    found = []
    for row in rows:
        seen, passed = int(row["looked_at"] or 0), int(row["passed"] or 0)
        if seen >= LEAST_FRAMES and passed <= FEW_PASSED * seen:
            found.append((passed / seen, str(row["video"]), f"{row['video']} ({seen - passed} of {seen})"))
    if not found:
        return ""
    names = shorten(", ".join(said for *_, said in sorted(found)), LONGEST_LIST, placeholder=" ...")
    videos = "1 video" if len(found) == 1 else f"{len(found)} videos"
    return f"the filter dropped nine in ten frames or more of {videos}: {names}"
