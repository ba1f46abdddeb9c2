"""Put small pictures into a page."""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

SAMPLE_PX, PAIR_PX = 320, 200  # longer sides
QUALITIES = (70, 40, 15)  # of WebP; the first that is small enough
MOST_BYTES_PER_PX = 0.3  # of the square of the longer side, so that a page of pictures of noise stays bounded, too


def thumbnail(path: Path, side_px: int) -> dict[str, Any]:
    """Return a picture as a data URL, scaled to this longer side, with its size and by what it was scaled."""
    with Image.open(path) as picture:
        width = picture.width
        picture.draft("RGB", (side_px, side_px))  # decodes fewer pixels of a large JPEG, never less than asked for
        thumb = picture.convert("RGB")
    factor = side_px / max(thumb.size)
    size = (max(1, round(thumb.width * factor)), max(1, round(thumb.height * factor)))
    return {
        "src": data_url(thumb.resize(size), MOST_BYTES_PER_PX * side_px**2),
        "width": size[0],
        "height": size[1],
        "factor": size[0] / width,
    }


def data_url(thumb: Image.Image, most_bytes: float) -> str:
    """Return a picture as WebP in a data URL, as good as fits."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        thumb.save(buffer, "WEBP", quality=quality)
        if buffer.tell() <= most_bytes:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
