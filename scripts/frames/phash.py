"""The perceptual hash of a frame, with the bits of imagehash.phash."""

import numpy as np
from PIL import Image

HASH_BITS = 64
PHASH_SIDE_PX = 32
_positions = (2 * np.arange(PHASH_SIDE_PX) + 1) * np.arange(8)[:, None]
COSINES = 2 * np.cos(np.pi * _positions / (2 * PHASH_SIDE_PX))  # the first 8 rows of the DCT-II
METRIC_SIDE_PX = 180  # quality is measured at one size, so that a threshold means the same for every video


def phash_bits(luma: Image.Image) -> np.ndarray:
    """Return the 8 x 8 bits of imagehash.phash: which low frequencies of an image lie above their median.

    imagehash.phash itself imports scipy, which takes 0.3 s in each job. Frequencies are rounded, because those of a
    flat image are rounding errors of zero.
    """
    pixels = np.asarray(luma.resize((PHASH_SIDE_PX, PHASH_SIDE_PX), Image.Resampling.LANCZOS), np.float64)
    low: np.ndarray = np.round(COSINES @ pixels @ COSINES.T, 6)
    bits: np.ndarray = low > np.median(low)
    return bits
