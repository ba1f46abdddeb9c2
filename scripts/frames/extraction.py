"""The description of one extraction: which video, which part, which settings, and where the frames go."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.row_types import MediaRecord
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
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


def media_source(media: MediaRecord, folder: Path, clip: Clip) -> MediaStream:
    """Return the stream to decode; seek to the start of the clip where that loses no frame.

    Raise UserError if the file in `folder` is missing.
    """
    file = folder / media["file"]
    if not file.exists():
        raise UserError(f"{file} is missing: delete {folder.parent} and run again, which downloads it again")
    seek = clip.start_s > 0 and media["container"] in SEEKABLE
    return MediaStream(file, media["stream"], media["container"], media["duration_s"], seek)
