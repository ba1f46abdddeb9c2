"""Say what a reader can do about a failed video, a dropped frame, or a result that is probably wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scripts.core.text import listed

FEW_PASSED = 0.1  # share of the frames that the filter's model saw
MIN_FRAMES = 10  # a share of fewer frames means little

# By a video's status. ID is the video's id.
VIDEO_ADVICE = {
    "unavailable": "The video is gone. Replace or exclude the row. If the video is back, delete results/download/ID.",
    "needs_auth": "Set download.cookies to the cookies of an account that can see the video, and run again. If other"
    " cookies were set before, delete results/download/ID first.",
    "geo_blocked": "The site does not offer this video in your country. In another country, delete results/download/ID"
    " and run again.",
    "forbidden": "The server refused. If the video plays in your browser, try download.cookies; else replace the row.",
    "unsupported": "The URL has no video, or a protected one. Check it, or download the file by hand and list it.",
    "rejected": "The video is live, too large, or on a private host. Set download.max_size_mb or"
    " download.allow_private_hosts, and run again.",
    "invalid_media": "ffmpeg cannot read the file. Check that it plays, download or export it again, or drop the row.",
    "later": "The video is not ready (premiere, live, processing). Run the target retry_failed when it is.",
    "blocked": "The site limits your requests. Wait at least an hour, then run the target retry_failed.",
    "failed": "Network or server error. Check the URL and your connection, then run the target retry_failed.",
}

# By the reason for which a frame was dropped: its meaning, and the config keys that decide.
FRAME_REASONS = {
    "small": ("shorter side too short", "frames.min_side_px"),
    "dark": ("too dark", "frames.min_brightness"),
    "bright": ("too bright", "frames.max_brightness"),
    "blurred": ("not sharp enough", "frames.min_sharpness"),
    "flat": ("too little detail, such as a blank screen", "frames.min_entropy_bits"),
    "similar": ("too similar to the frame before", "frames.similar_bits"),
    "over_budget": ("more frames than the budget", "frames.budget"),
    "damaged": ("damaged in the video", ""),
    "unreadable": ("cannot be decoded", ""),
    "too_few_objects": ("too few wanted objects", "filter.min_objects, filter.classes, filter.confidence"),
    "duplicate": ("copy of another frame", "dedup.max_distance_bits"),
    "no_objects": ("no object found by the detect model", "detect.confidence, dataset.negatives_share"),
    "surplus_background": ("no object, and enough such images", "dataset.negatives_share"),
}


def mostly_dropped(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the registry rows of videos that lost at least 90 % of their frames to the filter, the worst first."""
    long_enough = [row for row in rows if int(row["looked_at"] or 0) >= MIN_FRAMES]
    found = [row for row in long_enough if int(row["passed"] or 0) <= FEW_PASSED * int(row["looked_at"])]
    return sorted(found, key=lambda row: int(row["passed"] or 0) / int(row["looked_at"]))


def describe_dropped(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence that names these videos, or an empty string."""
    lost = [f"{r['video']} ({int(r['looked_at']) - int(r['passed'] or 0)} of {r['looked_at']} frames)" for r in rows]
    return f"the filter dropped nearly all frames of {listed(lost)}" if rows else ""


def describe_absent_classes(classes: Sequence[str]) -> str:
    """Return a sentence that names the classes of detect.classes that are in no image, or an empty string."""
    return f"no object of class {listed(classes)} in the dataset, though detect.classes lists it" if classes else ""


def describe_crowded(reached: Mapping[str, int], settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a sentence on frames in which a model found as many objects as it may, by role, or an empty string."""
    parts = [
        f"{count} {'frame has' if count == 1 else 'frames have'} {settings[role]['max_objects']} objects, as many as"
        f" {role}.max_objects allows"
        for role, count in reached.items()
        if count
    ]
    return f"{'; '.join(parts)}: more may be there" if parts else ""
