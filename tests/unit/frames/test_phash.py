"""Hashes have the bits of imagehash.phash."""

import imagehash
import numpy as np
import pytest
from PIL import Image

from scripts.frames.phash import phash_bits


@pytest.mark.parametrize("seed", range(20))
def test_bits_are_those_of_imagehash(seed: int) -> None:
    small = np.random.default_rng(seed).integers(0, 256, (5 + seed, 9, 3), np.uint8)
    luma = Image.fromarray(small).resize((320, 180), Image.Resampling.BICUBIC).convert("L")
    assert np.array_equal(phash_bits(luma), imagehash.phash(luma).hash)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_image_has_no_bits_but_its_mean(level: int) -> None:
    bits = phash_bits(Image.new("L", (320, 180), level))
    assert bits.sum() == bits[0, 0] == (level > 0)
