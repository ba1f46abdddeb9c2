"""Find out which part of a video has no frames, and describe it for the note of frames.parquet."""

from scripts.core.row_types import FrameRow
from scripts.frames.damage import Damage
from scripts.frames.extraction import Extraction
from scripts.frames.single_pass import PassResult


def starts_late(rows: list[FrameRow], extraction: Extraction) -> bool:
    """Return whether frames are missing at the start of the clip."""
    if extraction.settings.mode == "keyframes":
        return False
    fps = extraction.fps
    return not rows or rows[0]["pts_s"] > extraction.clip.start_s + (2 / fps if fps else 0.1)


def damage_note(damage: Damage, extraction: Extraction, result: PassResult) -> str:
    """Return how many pictures of the file are damaged, and where it ends if that is early."""
    damaged = f"{len(damage.untrusted_ms)} of {damage.pictures} pictures of the file are damaged"
    parts = [damaged if damage.untrusted_ms else f"ffmpeg complains: {result.complaint}"]
    end_s = wanted_end_s(extraction)
    if end_s is not None and not result.limit and end_s - damage.last_ms / 1000 > 1:
        parts.append(f"the last picture is at {damage.last_ms / 1000:g} s of {end_s:g} s")
    return "; ".join(parts)


def end_note(rows: list[FrameRow], extraction: Extraction) -> str:
    """Return a note if there is no frame, or if frames end too early (mode interval) or after the video; else none."""
    duration_s, last_s = extraction.source.duration_s, rows[-1]["pts_s"] if rows else 0.0
    if not rows:
        length = duration_s or "an unknown number of"
        return f"no frame from {extraction.clip.start_s:g} s on: the video lasts {length} s"
    if duration_s is not None and last_s > duration_s + 1:
        return f"frames go on to {last_s:g} s, though the file says that it lasts {duration_s:g} s"
    end_s, settings = wanted_end_s(extraction), extraction.settings
    spacing_s = max(2 * settings.interval_s, 1.0, 2 / extraction.fps if extraction.fps else 0.0)
    if settings.mode != "interval" or end_s is None or end_s - last_s <= spacing_s:
        return ""
    return f"the last frame is at {last_s:g} s of {end_s:g} s"


def wanted_end_s(extraction: Extraction) -> float | None:
    """Return the end of the video or of its clip, the earlier one; None if neither is known."""
    ends_s = [end_s for end_s in (extraction.source.duration_s, extraction.clip.end_s) if end_s is not None]
    return min(ends_s, default=None)
