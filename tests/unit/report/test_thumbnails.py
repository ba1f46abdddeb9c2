"""Thumbnails are small, also of images that compress badly."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.report.thumbnails import MAX_BYTES_PER_PX, PAIR_PX, Pictures, decode, thumbnail


def test_thumbnails_of_noise_are_bounded_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.jpg", quality=95)
    thumb = thumbnail(tmp_path / "noise.jpg", 320)
    assert len(thumb["src"]) * 3 / 4 <= MAX_BYTES_PER_PX * 320**2 + 100
    assert (thumb["width"], thumb["height"], thumb["factor"]) == (320, 180, 0.25)


def test_a_wide_jpeg_is_decoded_at_half_its_size_and_looks_as_if_it_were_not(tmp_path: Path) -> None:
    path = tmp_path / "wide.jpg"
    steps = np.random.default_rng(0).integers(0, 255, (9, 16, 3), np.uint8)
    Image.fromarray(steps).resize((768, 432), Image.Resampling.BICUBIC).save(path, quality=95)
    decoded, full = decode(path, 320)
    assert (decoded.size, full) == ((384, 216), (768, 432))
    assert [decode(path, side)[0].size for side in (96, 97, 384, 385)] == [(96, 54), (192, 108), (384, 216), full]
    thumb = thumbnail(path, 320)
    assert (thumb["width"], thumb["height"], thumb["factor"]) == (320, 180, 320 / 768)
    with Image.open(path) as whole, Image.open(io.BytesIO(base64.b64decode(thumb["src"].partition(",")[2]))) as small:
        difference = np.asarray(whole.resize((320, 180)), float) - np.asarray(small.convert("RGB"), float)
    assert np.abs(difference).mean() < 3


def test_a_picture_that_the_page_shows_twice_is_made_once(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "1.jpg")
    pictures = Pictures({"a": tmp_path}, {"a/1.jpg": 2.0})
    first = pictures.of("a/1.jpg")
    (tmp_path / "1.jpg").unlink()
    assert pictures.of("a/1.jpg") == first
    with pytest.raises(FileNotFoundError):
        pictures.of("a/1.jpg", "dropped")


def test_a_picture_has_the_video_and_the_time_as_its_caption(tmp_path: Path) -> None:
    (tmp_path / "a/dropped").mkdir(parents=True)
    Image.new("RGB", (36, 400)).save(tmp_path / "a/dropped/1.jpg")
    picture = Pictures({"a": tmp_path / "a"}, {"a/1.jpg": 2.0}).of("a/1.jpg", "dropped")
    assert picture["caption"] == "a at 2\N{NO-BREAK SPACE}s" and (picture["width"], picture["height"]) == (
        18,
        PAIR_PX,
    )
