"""YOLO's labels are shares of the picture, and its description keeps any class name."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dataset.formats.yolo import data_yaml, label_lines, write_index

ROW: dict[str, Any] = {"width": 200, "height": 100, "boxes_xyxy_px": [[20.0, 10.0, 60.0, 50.0]], "classes": ["dog"]}


def test_labels_are_shares_of_the_picture() -> None:
    assert label_lines(ROW, ["car", "dog"]) == "1 0.200000 0.300000 0.200000 0.400000\n"
    assert label_lines(ROW | {"boxes_xyxy_px": [], "classes": []}, ["car"]) == ""


def corners(line: str) -> list[float]:
    """Return the corners as albumentations and others compute them."""
    _, x, y, wide, high = map(float, line.split())
    return [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]


@pytest.mark.public_report(
    "albumentations-team/albumentations 922",
    saw="'Expected x_max for bbox to be in the range [0.0, 1.0]' from YOLO labels",
    here="centre and size are rounded together, so no corner of a label lies outside the picture",
)
@pytest.mark.public_report(
    "albumentations-team/albumentations 459",
    saw="every transform fails on a label that ends beyond 1",
    here="a label ends at 1 at most, whatever the picture's size",
)
def test_no_corner_of_a_label_lies_outside_a_picture_of_any_size() -> None:
    random.seed(0)
    apart = 0
    for side in range(1, 16385):
        low, high = sorted(round(random.uniform(0, side), 2) for _ in range(2))
        for x1, x2 in ((0.0, max(high, 0.01)), (min(low, side - 0.01), float(side)), (low, high + 0.01), (0.0, side)):
            box = [x1, side - min(x2, side), min(x2, side), side - x1]
            row = ROW | {"width": side, "height": side, "boxes_xyxy_px": [box]}
            line = label_lines(row, ["car", "dog"])
            x1_found, y1_found, x2_found, y2_found = found = corners(line)
            assert 0 <= x1_found < x2_found <= 1 and 0 <= y1_found < y2_found <= 1, (side, box, line)
            assert max(abs(a - b / side) for a, b in zip(found, box, strict=True)) < 2.1e-6, (side, box, line)
            size, centre = round((box[2] - box[0]) / side, 6), round((box[0] + box[2]) / 2 / side, 6)
            apart += centre + size / 2 > 1 + 1e-9 or centre - size / 2 < -1e-9
    assert apart > 1000, "or this test tries nothing"


def test_data_yaml_needs_no_path_and_keeps_any_class_name() -> None:
    data = yaml.safe_load(data_yaml(["yes", "1: 2", "vélo"]))
    assert data == {
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "names": {0: "yes", 1: "1: 2", 2: "vélo"},
    }


def test_lists_name_images_from_their_own_folder_and_classes_have_a_line_each(tmp_path: Path) -> None:
    write_index(tmp_path, ["car", "two\nlines", "vélo"], {"train": ["images/train/a.jpg", "images/train/b.jpg"]})
    assert (tmp_path / "train.txt").read_text() == "./images/train/a.jpg\n./images/train/b.jpg\n"
    assert (tmp_path / "val.txt").read_text() == (tmp_path / "test.txt").read_text() == ""
    assert (tmp_path / "classes.txt").read_text(encoding="utf-8") == "car\ntwo lines\nvélo\n"


@pytest.mark.public_report(
    "ultralytics 23754", saw="class names such as true, null, ? or ! are no texts or end the reading of data.yaml",
    here="ultralytics reads each name as it is",
)  # fmt: skip
@pytest.mark.public_report(
    "yolov5 11897", saw="a character that YAML does not allow in data.yaml ends the training",
    here="it is written escaped, and ultralytics reads it",
)  # fmt: skip
def test_ultralytics_reads_names_that_yaml_takes_for_something_else(tmp_path: Path) -> None:
    from ultralytics.utils import YAML

    names = ["true", "null", "on", "?", "!", ":", "~", "1e3", "0x10", "- a", "a: b", "#1", "it's", '"', "\x80", "犬"]
    (tmp_path / "data.yaml").write_text(data_yaml(names), encoding="utf-8")
    assert YAML.load(tmp_path / "data.yaml")["names"] == dict(enumerate(names))
