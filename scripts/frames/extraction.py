"""The description of one extraction: which video, which part, which settings, and where the frames go."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.row_types import MediaRecord
from scripts.frames.sampling import FrameSettings
from scripts.inputs.hdr import TONEMAP
from scripts.media.clip import Clip
from scripts.media.colour import Colour, is_hd
from scripts.media.ffmpeg import MediaStream
from scripts.media.probe import SEEKABLE

WaitForDisk = Callable[[float], None]  # gets the bytes of a video with its next frame; returns when they may be written


@dataclass(frozen=True)
class Extraction:
    """What to extract from a video, and where to."""

    video: str
    source: MediaStream
    fps: float | None
    clip: Clip
    settings: FrameSettings
    out: Path
    wait_for_disk: WaitForDisk


def no_limit(own_bytes: float) -> None:
    """Return at once, so that a video can write as much as it needs."""


def media_source(media: MediaRecord, folder: Path, clip: Clip, hdr: str) -> MediaStream:
    """Return the stream to decode; seek to the start of the clip where that loses no frame.

    `hdr` is config key frames.hdr. Raise UserError if the file in `folder` is missing.
    """
    file = folder / media["file"]
    if not file.exists():
        raise UserError(f"{file} is missing: delete {folder.parent} and run again, which downloads it again")
    seek = clip.start_s > 0 and media["container"] in SEEKABLE
    colour = colour_of(media, hdr)
    return MediaStream(file, media["stream"], media["container"], media["duration_s"], seek, colour)


def colour_of(media: MediaRecord, hdr: str) -> Colour:
    """Return how the colours of a video are coded; `hdr` is config key frames.hdr."""
    is_large = is_hd(media["width"], media["height"])
    return Colour(media["matrix"], media["transfer"], media["primaries"], is_large, hdr == TONEMAP)


def stream_note(media: MediaRecord, colour: Colour) -> str:
    """Return a note on the track that was taken, if there are several, and on what became of HDR."""
    parts = []
    if media["tracks"] > 1:
        parts.append(f"video track {media['track']} of {media['tracks']} ({media['width']} x {media['height']})")
    if colour.hdr:
        done = "tone-mapped to SDR" if colour.tonemap else "not tone-mapped (frames.hdr: as_is)"
        parts.append(f"HDR ({colour.hdr}) {done}")
    return "; ".join(parts)
