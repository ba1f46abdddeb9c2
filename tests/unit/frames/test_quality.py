"""Measures are what their names say, and each check names what it drops."""

import io
from dataclasses import replace
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image

from scripts.frames.quality import KEPT, Measures, fate_of, measure
from scripts.frames.sampling import FrameSettings
from tests._clips import DEFAULTS, extract
from tests.conftest import REAL

SETTINGS = FrameSettings(**DEFAULTS)
OPEN = replace(SETTINGS, min_entropy_bits=0, similar_bits=-1)


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def measured(picture: Image.Image) -> Measures:
    found = measure(jpeg(picture))
    assert found is not None
    return found


def noise(side: int = 400) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


def test_measures_order_images_as_eyes_do() -> None:
    sharp = noise().resize((1200, 800), Image.Resampling.NEAREST)
    soft = sharp.resize((60, 40), Image.Resampling.BOX).resize((1200, 800), Image.Resampling.BICUBIC)
    black, grey = measured(Image.new("RGB", (1200, 800))), measured(Image.new("RGB", (1200, 800), (128, 128, 128)))
    assert measured(sharp)["sharpness"] > 4 * measured(soft)["sharpness"] > black["sharpness"] == 0
    assert black["brightness"] == 0 and grey["brightness"] == 128
    assert measured(sharp)["entropy_bits"] > 5 and grey["entropy_bits"] == 0
    assert (measured(sharp)["width"], measured(sharp)["height"]) == (1200, 800)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    picture = noise(180).convert("L")
    seen = np.asarray(Image.open(io.BytesIO(jpeg(picture))), float)
    edges = [np.roll(seen, shift, axis)[1:-1, 1:-1] for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1))]
    assert measured(picture)["sharpness"] == pytest.approx(np.var(sum(edges) - 4 * seen[1:-1, 1:-1]), abs=1e-3)


def test_hashes_are_within_two_bits_of_those_of_the_written_jpegs(clip: Any, tmp_path: Any) -> None:
    sources = [clip, *(sorted((REAL / "videos").glob("*.mp4")) if REAL.exists() else [])]
    compared = 0
    for i, media in enumerate(sources):
        rows = extract(media, tmp_path / str(i), interval_s=0.5)
        for row in [row for row in rows if row["keep"]]:
            whole = imagehash.phash(Image.open(tmp_path / str(i) / "out" / row["frame"]))
            assert imagehash.hex_to_hash(row["phash"]) - whole <= 2, (media.name, row["frame"])
            compared += 1
    assert compared >= 12


@pytest.mark.parametrize(
    ("picture", "limit", "reason"),
    [
        (Image.new("RGB", (64, 64), (9, 9, 9)), {"min_brightness": 10}, "dark"),
        (Image.new("RGB", (64, 64), (250, 250, 250)), {"max_brightness": 240}, "bright"),
        (Image.new("RGB", (64, 64), (90, 90, 90)), {"min_entropy_bits": 0.5}, "flat"),
        (noise().resize((20, 20)).resize((400, 400)), {"min_sharpness": 100}, "blurred"),
        (noise(100).resize((300, 100)), {"min_side_px": 101}, "small"),
    ],
)
def test_each_check_names_what_it_drops(picture: Image.Image, limit: dict[str, float], reason: str) -> None:
    found = measured(picture)
    fate = fate_of(found, None, replace(OPEN, **limit))  # type: ignore[arg-type]
    bright, flat, sharp = found["brightness"], found["entropy_bits"], found["sharpness"]
    value = {"dark": bright, "bright": bright, "flat": flat, "blurred": sharp, "small": 100.0}[reason]
    assert fate == {"reason": reason, "value": value, "threshold": float(next(iter(limit.values())))}
    assert fate_of(found, None, OPEN) == KEPT


@pytest.mark.parametrize(("limit_bits", "dropped"), [(-1, False), (2, False), (3, True), (4, True)])
def test_a_frame_is_similar_up_to_a_number_of_bits(limit_bits: int, dropped: bool) -> None:
    found = measured(noise())
    other = f"{int(found['phash'], 16) ^ 0b10101:016x}"
    fate = fate_of(found, other, replace(SETTINGS, similar_bits=limit_bits))
    assert fate == ({"reason": "similar", "value": 3.0, "threshold": float(limit_bits)} if dropped else KEPT)


def test_bytes_that_are_no_jpeg_are_unreadable() -> None:
    assert measure(b"torn") is None and measure(jpeg(noise())[:300]) is None
    assert fate_of(None, None, SETTINGS)["reason"] == "unreadable"


@pytest.mark.public_report(
    "imagehash 134", saw="a blue and a white image have the same hash",
    here="screens of one colour are dropped before their hashes are compared",
)  # fmt: skip
def test_the_defaults_drop_only_blank_screens() -> None:
    for colour in ((16, 16, 16), (0, 0, 254), (255, 255, 255)):
        assert fate_of(measured(Image.new("RGB", (640, 360), colour)), None, SETTINGS)["reason"] == "flat"
    dim_scene = Image.eval(noise(), lambda level: level // 16)
    assert fate_of(measured(dim_scene), None, SETTINGS) == KEPT
