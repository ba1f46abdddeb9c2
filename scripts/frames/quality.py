"""Measure a frame while it is still in memory, and decide whether it is worth keeping."""

import io
import logging
from collections.abc import Iterator
from typing import TypedDict

import imagehash
import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from scripts.core.row_types import Fate
from scripts.frames.phash import METRIC_SIDE_PX, phash_bits
from scripts.frames.sampling import FrameSettings

KEPT: Fate = {"reason": "", "value": None, "threshold": None}


class Measures(TypedDict):
    """What is measured of a frame: its size in pixels, its quality, and its perceptual hash in hex."""

    width: int
    height: int
    sharpness: float
    brightness: float
    entropy_bits: float
    phash: str


def measure(jpeg: bytes) -> Measures | None:
    """Return size, sharpness, brightness, entropy and perceptual hash of a JPEG; None if it cannot be decoded.

    The luma is decoded at reduced scale, which leaves the hash within 2 bits of the full image's. Sharpness is the
    variance of the Laplacian at 180 x 180 (Pech-Pacheco et al. 2000), brightness the mean (0 to 255).
    """
    try:
        with JpegImageFile(io.BytesIO(jpeg)) as image:
            width, height = image.size
            image.draft("L", (METRIC_SIDE_PX, METRIC_SIDE_PX))
            luma = image.convert("L")
    except (OSError, SyntaxError) as error:
        logging.warning("a frame cannot be decoded: %s", error)
        return None
    small = luma.resize((METRIC_SIDE_PX, METRIC_SIDE_PX), Image.Resampling.BOX)
    brightness = sum(level * count for level, count in enumerate(small.histogram())) / METRIC_SIDE_PX**2
    return {
        "width": width,
        "height": height,
        "sharpness": round(_laplacian_variance(np.asarray(small, np.int16)), 3),
        "brightness": round(brightness, 3),
        "entropy_bits": round(small.entropy(), 4),
        "phash": str(imagehash.ImageHash(phash_bits(luma))),
    }


def _laplacian_variance(luma: np.ndarray) -> float:
    edges = luma[:-2, 1:-1] + luma[2:, 1:-1]
    edges += luma[1:-1, :-2]
    edges += luma[1:-1, 2:]
    edges -= luma[1:-1, 1:-1] << 2
    return float(edges.var(dtype=np.float64))


def fate_of(measures: Measures | None, kept_phash: str | None, settings: FrameSettings) -> Fate:
    """Return the first check that a frame fails, with its value and threshold, or KEPT.

    `measures` is None for a frame that cannot be decoded; `kept_phash` is the hash of the video's last kept frame.
    """
    if measures is None:
        return {"reason": "unreadable", "value": None, "threshold": None}
    for reason, value, threshold, failed in _checks(measures, settings):
        if failed:
            return {"reason": reason, "value": float(value), "threshold": float(threshold)}
    if kept_phash is not None:
        distance_bits = (int(measures["phash"], 16) ^ int(kept_phash, 16)).bit_count()
        if distance_bits <= settings.similar_bits:
            return {"reason": "similar", "value": float(distance_bits), "threshold": float(settings.similar_bits)}
    return KEPT


def _checks(measures: Measures, limits: FrameSettings) -> Iterator[tuple[str, float, float, bool]]:
    side_px = min(measures["width"], measures["height"])
    yield "small", side_px, limits.min_side_px, side_px < limits.min_side_px
    brightness, entropy_bits, sharpness = measures["brightness"], measures["entropy_bits"], measures["sharpness"]
    yield "dark", brightness, limits.min_brightness, brightness < limits.min_brightness
    yield "bright", brightness, limits.max_brightness, brightness > limits.max_brightness
    yield "flat", entropy_bits, limits.min_entropy_bits, entropy_bits < limits.min_entropy_bits
    yield "blurred", sharpness, limits.min_sharpness, sharpness < limits.min_sharpness
