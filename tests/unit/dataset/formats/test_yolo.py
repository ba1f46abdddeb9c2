"""YOLO's labels are shares of the picture, and its description keeps any class name."""

from typing import Any

import yaml

from scripts.dataset.formats.yolo import data_yaml, label_lines

ROW: dict[str, Any] = {"width": 200, "height": 100, "boxes_xyxy_px": [[20.0, 10.0, 60.0, 50.0]], "classes": ["dog"]}


def test_labels_are_shares_of_the_picture() -> None:
    assert label_lines(ROW, ["car", "dog"]) == "1 0.200000 0.300000 0.200000 0.400000\n"
    assert label_lines(ROW | {"boxes_xyxy_px": [], "classes": []}, ["car"]) == ""


def test_data_yaml_needs_no_path_and_keeps_any_class_name() -> None:
    data = yaml.safe_load(data_yaml(["yes", "1: 2", "vélo"]))
    assert data == {
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "names": {0: "yes", 1: "1: 2", 2: "vélo"},
    }
