"""Thumbnails are small, also of images that compress badly."""

from pathlib import Path

import numpy as np
from PIL import Image

from scripts.report.thumbnails import MAX_BYTES_PER_PX, PAIR_PX, Pictures, thumbnail


def test_thumbnails_of_noise_are_bounded_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.jpg", quality=95)
    thumb = thumbnail(tmp_path / "noise.jpg", 320)
    assert len(thumb["src"]) * 3 / 4 <= MAX_BYTES_PER_PX * 320**2 + 100
    assert (thumb["width"], thumb["height"], thumb["factor"]) == (320, 180, 0.25)


def test_a_picture_has_the_video_and_the_time_as_its_caption(tmp_path: Path) -> None:
    (tmp_path / "a/dropped").mkdir(parents=True)
    Image.new("RGB", (36, 400)).save(tmp_path / "a/dropped/1.jpg")
    picture = Pictures({"a": tmp_path / "a"}, {"a/1.jpg": 2.0}).of("a/1.jpg", "dropped")
    assert picture["caption"] == "a at 2\N{NO-BREAK SPACE}s" and (picture["width"], picture["height"]) == (
        18,
        PAIR_PX,
    )
