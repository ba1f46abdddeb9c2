"""Images are decoded no larger than a model needs them, and broken ones are left out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scripts.model.decode import decode
from scripts.model.inference import Inference
from tests._infer import detect_alone
from tests.conftest import DEMO


def draw_image(path: Path, size: tuple[int, int]) -> Path:
    image = Image.new("RGB", size, (20, 90, 160))
    ImageDraw.Draw(image).rectangle((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), (250, 20, 20))
    image.save(path, quality=95)
    return path


@pytest.mark.parametrize(
    ("size", "input_px", "reduced"),
    [((640, 360), 640, 1), ((1280, 720), 640, 1), ((1288, 720), 640, 2), ((4000, 300), 640, 4), ((721, 1283), 80, 8)],
)
def test_larger_images_are_reduced_while_they_exceed_the_input(
    tmp_path: Path, size: tuple[int, int], input_px: int, reduced: int
) -> None:
    path = draw_image(tmp_path / "a.jpg", size)
    decoded = decode(path, input_px)
    assert decoded
    height, width = decoded.pixels.shape[:2]
    assert max(width, height) >= min(input_px, *[max(size)])
    assert width == -(-size[0] // reduced) and height == -(-size[1] // reduced)
    assert decoded.reduced_by == pytest.approx((size[0] / width, size[1] / height))
    whole = np.asarray(Image.open(path).resize((width, height), Image.Resampling.BOX))[:, :, ::-1].astype(int)
    assert np.abs(whole - decoded.pixels).mean() < 3, "the same image, blue first"


def test_cut_off_and_broken_files_are_no_images(tmp_path: Path) -> None:
    whole = draw_image(tmp_path / "a.jpg", (640, 360)).read_bytes()
    for name, content in {
        "empty": b"",
        "torn": whole[: len(whole) // 2],
        "text": b"hello",
        "head": whole[:200],
    }.items():
        (tmp_path / name).write_bytes(content)
        assert decode(tmp_path / name, 640) is None, name
    assert decode(tmp_path / "missing", 640) is None


def test_boxes_are_in_pixels_of_the_whole_image(model: Path, tmp_path: Path) -> None:
    """The demo's detector sees the same objects in an image four times as large, in its own pixels."""
    from tests._clips import extract

    rows = extract(DEMO / "clips/crossing.mp4", tmp_path, end_s=2.0)
    small = tmp_path / "out" / rows[1]["frame"]
    large = tmp_path / "large.jpg"
    with Image.open(small) as image:
        image.resize((image.width * 4, image.height * 4), Image.Resampling.BICUBIC).save(large, quality=95)
    query = Inference(confidence=0.4, iou=0.7, imgsz_px=320, classes=())
    one, four = detect_alone(model, [small, large], query, tmp_path / "w")
    assert one.classes and sorted(one.classes) == sorted(four.classes)
    for name, box in zip(one.classes, one.boxes_xyxy_px, strict=True):
        nearest = min(
            max(abs(a * 4 - b) for a, b in zip(box, other, strict=True))
            for other, named in zip(four.boxes_xyxy_px, four.classes, strict=True)
            if named == name
        )
        assert nearest < 16, (name, nearest)
