"""Hugging Face's library loads the dataset by its folder alone, in each format, with boxes and class names."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests._exported import (
    BOX,
    CLASSES,
    FORMATS,
    FRAMES,
    SIZE_PX,
    Frames,
    NamedBoxes,
    assert_same,
    corners,
    export,
    settings,
)
from tests._forked import DATASETS, forker
from tests.conftest import REPO

DEFAULT_FORMATS = yaml.safe_load((REPO / "config/config.yaml").read_text())["dataset"]["formats"]


HUB = """
import json, sys
from datasets import load_dataset
loaded = load_dataset(*json.loads(sys.argv[1]), **json.loads(sys.argv[2]))
rows = {split: [{k: v if isinstance(v, (int, float, str, dict, list)) else list(v.size) if hasattr(v, 'size') else None
        for k, v in row.items()} for row in part] for split, part in loaded.items()}
print('ROWS', json.dumps(rows))
objects = next(iter(loaded.values())).features.get('objects')
kind = objects['category'].feature if isinstance(objects, dict) else None
print('NAMES', json.dumps(getattr(kind, 'names', [])))
"""

Rows = dict[str, list[dict[str, Any]]]


def run_load_dataset(folder: Path, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Call load_dataset offline, in a process of its own, with a cache in `folder`."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder), "HF_DATASETS_CACHE": str(folder / "cache")}
    return forker(DATASETS).run(HUB, [json.dumps(arguments), json.dumps(options)], folder, {**os.environ, **offline})


def load_with_datasets(folder: Path, *arguments: str, **options: str) -> tuple[Rows, list[str]]:
    """Return the rows of each split, and the names of classes, as Hugging Face's library reads them."""
    done = run_load_dataset(folder, *arguments, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    rows, names = done.stdout.split("ROWS ")[1].split("NAMES ")
    return json.loads(rows), json.loads(names)


def boxes_in(rows: list[dict[str, Any]], names: list[str]) -> dict[str, NamedBoxes]:
    """Return the boxes and class names of rows of an imagefolder, by stem of the image."""
    return {
        f"{row['video']}__{round(row['pts_s'] * 1000):09d}": [
            (corners(box), names[number])
            for box, number in zip(row["objects"]["bbox"], row["objects"]["category"], strict=True)
        ]
        for row in rows
    }


@pytest.mark.parametrize("formats", [DEFAULT_FORMATS, FORMATS])
def test_hugging_face_loads_pictures_boxes_and_class_names_by_the_folder_alone(
    tmp_path: Path, formats: list[str]
) -> None:
    loaded, names = load_with_datasets(tmp_path, str(export(tmp_path, settings(formats=formats))))
    assert names == CLASSES and set(loaded) == {"train", "validation"}
    assert_same(boxes_in(loaded["train"], names), "train")
    assert_same(boxes_in(loaded["validation"], names), "val")
    assert all(row["image"] == list(SIZE_PX) for rows in loaded.values() for row in rows)
    objects = [row["objects"] for rows in loaded.values() for row in rows]
    assert set(objects[0]) == {"id", "bbox", "area", "category", "confidence"}
    ids = [number for found in objects for number in found["id"]]
    assert len(set(ids)) == len(ids) == 7
    assert len({row["image_id"] for rows in loaded.values() for row in rows}) == 8


def test_hugging_face_loads_the_images_folder(dataset: Path, tmp_path: Path) -> None:
    loaded, _ = load_with_datasets(tmp_path, "imagefolder", data_dir=str(dataset / "images"))
    assert_same(boxes_in(loaded["train"], CLASSES), "train")
    assert_same(boxes_in(loaded["validation"], CLASSES), "val")


COLUMNS = {"imagefolder": "objects", "webdataset": "jpg", "parquet": "boxes_xyxy_px", "yolo": "image", "coco": "image"}


@pytest.mark.parametrize("form", COLUMNS)
def test_hugging_face_loads_each_format_and_never_what_it_cached_of_another_dataset(tmp_path: Path, form: str) -> None:
    """The cache of both is one folder, and their cards differ in the digest of the content alone."""
    box = ([1.0, 2.0, 30.0, 40.0], 1, 0.5)
    other: Frames = {"0.clip.v2": ("train", {0: [box]}), "other": ("val", {0: [box]})}
    counts = []
    for name, frames in (("one", FRAMES), ("two", other)):
        folder = export(tmp_path / name, settings(formats=[form]), frames=frames)
        loaded, _ = load_with_datasets(tmp_path, str(folder))
        assert COLUMNS[form] in loaded["train"][0] and "text" not in loaded["train"][0]
        assert "label" not in loaded["train"][0], "the folder's name has become a class"
        counts.append({split: len(rows) for split, rows in loaded.items()})
    assert counts == [{"train": 6, "validation": 2}, {"train": 1, "validation": 1}]


NAMES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "imagefolder": lambda row: [CLASSES[number] for number in row["objects"]["category"]],
    "webdataset": lambda row: [found["class"] for found in row["json"]["objects"]],
    "parquet": lambda row: list(row["classes"]),
}


@pytest.mark.parametrize("form", NAMES)
def test_hugging_face_learns_the_types_of_boxes_though_the_first_pictures_show_nothing(
    tmp_path: Path, form: str
) -> None:
    box = ([1.0, 2.0, 30.0, 40.0], 0, 0.5)
    frames: Frames = {name: ("train", dict.fromkeys(range(8), boxes)) for name, boxes in (("a", []), ("b", [box]))}
    loaded, _ = load_with_datasets(tmp_path, str(export(tmp_path, settings(formats=[form]), frames=frames)))
    assert sorted(map(NAMES[form], loaded["train"])) == [[]] * 8 + [[CLASSES[0]]] * 8


# Texts that readers of JSON take for times, and one that others take for a number.
DATES: Frames = {day: (split, {0: [BOX], 10: []}) for day, split in {
    "2024-01-01": "train", "2024-01-02T03": "train", "20240103": "val", "1e5": "test",
}.items()}  # fmt: skip
VIDEOS: dict[str, Callable[[dict[str, Any]], str]] = {
    "imagefolder": lambda row: row["video"],
    "webdataset": lambda row: row["json"]["video"],
    "parquet": lambda row: row["video"],
}


@pytest.mark.parametrize("form", VIDEOS)
def test_hugging_face_takes_no_video_id_for_a_date_or_a_number(tmp_path: Path, form: str) -> None:
    folder = export(tmp_path, settings(formats=[form]), frames=DATES)
    ways: list[tuple[str, dict[str, str]]] = [(str(folder), {})]
    if form == "imagefolder":
        ways.append(("imagefolder", {"data_dir": str(folder / "images")}))
    for name, options in ways:
        loaded, _ = load_with_datasets(tmp_path, name, **options)
        videos = sorted(VIDEOS[form](row) for rows in loaded.values() for row in rows)
        assert videos == sorted([*DATES] * 2)


SPLIT_NAMES: Frames = {
    "train-station": ("val", {0: [BOX], 10: [BOX]}), "test_drive": ("train", {0: [BOX], 20: [BOX]}),
    "validation": ("train", {0: [BOX]}), "dev.eval": ("train", {0: [BOX]}), "val": ("test", {0: [BOX]}),
}  # fmt: skip


@pytest.mark.public_report(
    "datasets 5650", saw="file names with the word train break the loading of an image folder",
    here="each image is in its own split, whatever its name says",
)  # fmt: skip
@pytest.mark.parametrize("form", NAMES)
def test_hugging_face_takes_no_split_from_the_name_of_a_video(tmp_path: Path, form: str) -> None:
    loaded, _ = load_with_datasets(tmp_path, str(export(tmp_path, settings(formats=[form]), frames=SPLIT_NAMES)))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 4, "validation": 2, "test": 1}


@pytest.mark.public_report(
    "datasets 6556", saw="a dataset of one image and its metadata is read as JSON, without the image",
    here="the image is read",
)  # fmt: skip
@pytest.mark.parametrize("form", NAMES)
def test_hugging_face_loads_a_dataset_of_one_image(tmp_path: Path, form: str) -> None:
    frames: Frames = {"v": ("val", {0: [BOX]})}
    folder = export(tmp_path, settings(formats=[form]), frames=frames)
    loaded, _ = load_with_datasets(tmp_path, str(folder))
    assert list(loaded) == ["validation"] and COLUMNS[form] in loaded["validation"][0]


@pytest.mark.parametrize("form", COLUMNS)
def test_hugging_face_says_that_a_dataset_without_images_has_none(tmp_path: Path, form: str) -> None:
    folder = export(tmp_path, settings(formats=[form]), frames={"v": ("train", {0: []})})
    done = run_load_dataset(tmp_path, str(folder))
    assert done.returncode == 1 and done.stderr.endswith(f"No (supported) data files found in {folder}\n")
