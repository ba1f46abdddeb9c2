"""Shrink images into data URLs, with captions."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from PIL import Image

PAIR_PX = 200  # longer side of a captioned picture
QUALITIES = (70, 40, 15)  # of WebP; the first one that is small enough is taken
MAX_BYTES_PER_PX = 0.3  # of the square of the longer side; bounds the page even if all images are noise


class Thumbnail(TypedDict):
    """A small image as a data URL, and its size relative to the original."""

    src: str
    width: int
    height: int
    factor: float


class Picture(Thumbnail):
    """A thumbnail with its caption."""

    caption: str


class Pictures:
    """Thumbnails with captions of frames that reached the filter."""

    def __init__(self, filtered: Mapping[str, Path], times_s: Mapping[str, float]) -> None:
        """Take the folder of each video's filtered frames, and the presentation time of each video/frame."""
        self.filtered, self.times_s = filtered, times_s

    def of(self, name: str, folder: str = "") -> Picture:
        """Return the picture of a frame named video/frame; `folder` is inside the video's folder."""
        video, frame = name.rsplit("/", 1)
        return {
            **thumbnail(self.filtered[video] / folder / frame, PAIR_PX),
            "caption": f"{video} at {self.times_s[name]:g}\N{NO-BREAK SPACE}s",
        }


def thumbnail(path: Path, side_px: int) -> Thumbnail:
    """Return an image scaled to this longer side."""
    with Image.open(path) as picture:
        width = picture.width
        picture.draft("RGB", (side_px, side_px))  # decodes a large JPEG at a lower resolution, at least this one
        thumb = picture.convert("RGB")
    factor = side_px / max(thumb.size)
    size = (max(1, round(thumb.width * factor)), max(1, round(thumb.height * factor)))
    return {
        "src": data_url(thumb.resize(size), MAX_BYTES_PER_PX * side_px**2),
        "width": size[0],
        "height": size[1],
        "factor": size[0] / width,
    }


def data_url(thumb: Image.Image, max_bytes: float) -> str:
    """Return an image as WebP in a data URL, with the best quality that fits."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        thumb.save(buffer, "WEBP", quality=quality)
        if buffer.tell() <= max_bytes:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
