"""Shrink images into data URLs, with captions."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from PIL import Image, WebPImagePlugin  # the plugin by name: else Pillow loads all of its plugins to find it

PAIR_PX = 200  # longer side of a captioned picture
QUALITIES = (70, 40, 15)  # of WebP; the first one that is small enough is taken
METHOD = 2  # of WebP: half the time of the default 4, for 6 % more bytes
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
    """Thumbnails with captions of frames that reached the filter. Each is made once: the page shows some repeatedly."""

    def __init__(self, filtered: Mapping[str, Path], times_s: Mapping[str, float]) -> None:
        """Take the folder of each video's filtered frames, and the presentation time of each video/frame."""
        self.filtered, self.times_s = filtered, times_s
        self._made: dict[tuple[str, str], Picture] = {}

    def of(self, name: str, folder: str = "") -> Picture:
        """Return the picture of a frame named video/frame; `folder` is inside the video's folder."""
        if (name, folder) not in self._made:
            video, frame = name.rsplit("/", 1)
            self._made[name, folder] = {
                **thumbnail(self.filtered[video] / folder / frame, PAIR_PX),
                "caption": f"{video} at {self.times_s[name]:g}\N{NO-BREAK SPACE}s",
            }
        return self._made[name, folder]


def thumbnail(path: Path, side_px: int) -> Thumbnail:
    """Return an image scaled to this longer side."""
    decoded, full = decode(path, side_px)
    factor = side_px / max(full)
    width, height = (max(1, round(side * factor)) for side in full)
    return {
        "src": data_url(decoded.resize((width, height)), MAX_BYTES_PER_PX * side_px**2),
        "width": width,
        "height": height,
        "factor": width / full[0],
    }


def decode(path: Path, side_px: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return an image, a JPEG at the lowest resolution at which it has this longer side, and its full size."""
    with Image.open(path) as picture:
        (width, height), longer = picture.size, max(picture.size)
        # Not a square: by its height, 768 x 432 would be decoded whole.
        picture.draft("RGB", (max(1, width * side_px // longer), max(1, height * side_px // longer)))
        return picture.convert("RGB"), (width, height)


def data_url(thumb: Image.Image, max_bytes: float) -> str:
    """Return an image as WebP in a data URL, with the best quality that fits."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        thumb.save(buffer, WebPImagePlugin.WebPImageFile.format, quality=quality, method=METHOD)
        if buffer.tell() <= max_bytes:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
