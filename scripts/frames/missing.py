"""Find out which part of a video has no frames, and describe it for the note of frames.parquet."""

import time

from scripts.core.row_types import FrameRow
from scripts.frames.damage import Damage
from scripts.frames.extraction import Extraction
from scripts.frames.single_pass import PassResult
from scripts.media.clock import clock
from scripts.media.probe import OPEN_OPTIONS

MARGIN_S = 2  # pictures are stored in another order than shown, but never this far apart
FEW = 16  # pictures before a file's first keyframe are usual, as many as a decoder may hold


def starts_late(rows: list[FrameRow], extraction: Extraction) -> bool:
    """Return whether frames are missing at the start of the clip."""
    if extraction.settings.mode == "keyframes":
        return False
    fps = extraction.fps
    return not rows or rows[0]["pts_s"] > extraction.clip.start_s + (2 / fps if fps else 0.1)


def undecoded_note(rows: list[FrameRow], extraction: Extraction, deadline: float) -> str:
    """Return how many stored pictures before the first frame were not decoded, or nothing if they are few.

    ffmpeg leaves out pictures without a keyframe before them, and does not complain.
    """
    import av

    clip, lost = extraction.clip, 0
    first_s = rows[0]["pts_s"] if rows else wanted_end_s(extraction)
    with av.open(f"file:{extraction.source.media.absolute()}", options=OPEN_OPTIONS) as file:
        stream = file.streams[extraction.source.stream]
        shown_s = clock(file, stream)
        for packet in file.demux(stream):
            if packet.pts is None or not packet.size or packet.is_discard:
                continue
            at_s = float(shown_s(packet))
            lost += at_s >= clip.start_s and (first_s is None or at_s < first_s - 0.001)
            if time.monotonic() > deadline or (first_s is not None and at_s > first_s + MARGIN_S):
                break
    return f"{lost} pictures before the first frame cannot be decoded: their keyframe is missing" if lost > FEW else ""


def damage_note(damage: Damage, extraction: Extraction, result: PassResult, whole: bool) -> str:
    """Return how many pictures of the file are damaged, and where it ends if that is early.

    `whole`: the file has all of its bytes. Complaints of ffmpeg without either are of no use to a reader.
    """
    damaged = f"{len(damage.untrusted_ms)} of {damage.pictures} pictures of the file are damaged"
    parts = [damaged] if damage.untrusted_ms else []
    end_s = wanted_end_s(extraction)
    is_early = end_s is not None and not result.limit and end_s - damage.last_ms / 1000 > 1
    if is_early and (damage.untrusted_ms or not whole):
        parts = parts or [f"ffmpeg complains: {result.complaint}"]
        parts.append(f"the last picture is at {damage.last_ms / 1000:g} s of {end_s:g} s")
    return "; ".join(parts)


def end_note(rows: list[FrameRow], extraction: Extraction, whole: bool) -> str:
    """Return a note if there is no frame, or if frames end too early (mode interval) or after the video; else none.

    In a `whole` file, which has all of its bytes, an early last picture is only shown for long.
    """
    duration_s, last_s = extraction.source.duration_s, rows[-1]["pts_s"] if rows else 0.0
    clip = extraction.clip
    if not rows and clip.end_s is not None and (duration_s is None or clip.start_s < duration_s):
        return f"no picture begins between {clip.start_s:g} s and {clip.end_s:g} s: an earlier one is shown on"
    if not rows:
        return f"no frame from {clip.start_s:g} s on: the video lasts {duration_s or 'an unknown number of'} s"
    if duration_s is not None and last_s > duration_s + 1:
        return f"frames go on to {last_s:g} s, though the file says that it lasts {duration_s:g} s"
    end_s, settings = wanted_end_s(extraction), extraction.settings
    spacing_s = max(2 * settings.interval_s, 1.0, 2 / extraction.fps if extraction.fps else 0.0)
    if whole or settings.mode != "interval" or end_s is None or end_s - last_s <= spacing_s:
        return ""
    return f"the last frame is at {last_s:g} s of {end_s:g} s"


def wanted_end_s(extraction: Extraction) -> float | None:
    """Return the end of the video or of its clip, the earlier one; None if neither is known."""
    ends_s = [end_s for end_s in (extraction.source.duration_s, extraction.clip.end_s) if end_s is not None]
    return min(ends_s, default=None)
