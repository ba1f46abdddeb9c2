"""Decode JPEGs for a model, no larger than its input needs."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.media.jpeg import JPEG_END


@dataclass(frozen=True)
class DecodedImage:
    """The pixels of an image (H x W x 3 in BGR), and the factors by which its width and height were reduced."""

    pixels: Any
    reduced_by: tuple[float, float]


def decode(path: Path, input_px: int) -> DecodedImage | None:
    """Return the image, at 1/2, 1/4 or 1/8 scale if that still exceeds the model's input; None if it is broken.

    JPEG's own reduction is much faster than a full decode. It averages pixels that a later resize would skip.
    """
    import cv2
    import numpy as np
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        jpeg = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}: repair the disk and run again") from error
    try:
        with JpegImageFile(BytesIO(jpeg)) as header:  # ultralytics makes Image.open raise ImportErrors
            width, height = header.size
    except (OSError, SyntaxError):
        return None
    if not jpeg.endswith(JPEG_END):
        return None  # cut off, or zeros after a power cut: its lower part would be grey
    flags = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
    flag = next((flags[scale] for scale in flags if max(width, height) > scale * input_px), cv2.IMREAD_COLOR)
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    return None if pixels is None else DecodedImage(pixels, (width / pixels.shape[1], height / pixels.shape[0]))
