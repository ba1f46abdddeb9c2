"""Each format is loaded by the library that it is meant for, which finds every image, box and class name."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from scripts.dataset.digest import digest_of
from scripts.dataset.formats.images import xywh
from scripts.inputs.videos import SPLITS
from tests._exported import (
    BOX,
    CLASSES,
    SIZE_PX,
    Frames,
    NamedBoxes,
    assert_same,
    export,
    read_json,
    settings,
    truth,
)
from tests._forked import TORCH, run_loaded
from tests.conftest import DEMO


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_supervision_loads(dataset: Path, form: str, split: str) -> None:
    import supervision

    if form == "coco":
        loaded = supervision.DetectionDataset.from_coco(
            str(dataset), str(dataset / f"annotations/instances_{split}.json")
        )
    else:
        images, labels = dataset / "images" / split, dataset / "labels" / split
        loaded = supervision.DetectionDataset.from_yolo(str(images), str(labels), str(dataset / "data.yaml"))
    assert loaded.classes == CLASSES
    found = {}
    for path, image, seen in loaded:
        assert image.shape == (SIZE_PX[1], SIZE_PX[0], 3)
        assert seen.class_id is not None
        numbers = seen.class_id.tolist()
        found[Path(path).stem] = [(b, loaded.classes[n]) for b, n in zip(seen.xyxy.tolist(), numbers, strict=True)]
    assert_same(found, split)


@pytest.mark.public_report(
    "ultralytics/ultralytics 22429",
    saw="the place of train.cache and val.cache cannot be set: they are written into the dataset",
    here="make verify counts only files with names of ours, and .gitignore keeps caches from what is published",
)
@pytest.mark.public_report(
    "ultralytics 9560", saw="training fails with background images that have empty label files",
    here="ultralytics trains and counts them as backgrounds",
)  # fmt: skip
@pytest.mark.public_report(
    "yolov5 7049", saw="quotes and commas in class names stop the training",
    here="ultralytics trains with the same names",
)  # fmt: skip
def test_ultralytics_trains_on_images_and_backgrounds_and_its_caches_change_no_digest(
    dataset: Path, tmp_path: Path
) -> None:
    shutil.copytree(dataset, tmp_path / "results/dataset")  # it writes caches beside labels and images
    digests = [digest_of(tmp_path / "results"), digest_of(tmp_path / "results/dataset")]
    code = (
        "import sys; from ultralytics import YOLO\n"
        "model = YOLO(sys.argv[1])\n"
        "model.train(data=sys.argv[2], epochs=1, imgsz=64, batch=4, workers=0, device='cpu', plots=False, amp=False,"
        " cache='disk', project=sys.argv[3], verbose=False)\n"
        "print('NAMES', model.names)"
    )
    environment = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(tmp_path)}
    environment["YOLO_VERBOSE"] = "true"  # tests that infer in this process have it say nothing
    data = str(tmp_path / "results/dataset/data.yaml")
    output = run_loaded(
        TORCH, code, DEMO / "detector.pt", data, tmp_path / "runs", folder=tmp_path, environment=environment
    )
    assert f"NAMES {dict(enumerate(CLASSES))}" in output
    assert "6 images, 2 backgrounds, 0 corrupt" in output and "2 images, 0 backgrounds, 0 corrupt" in output, output[
        -3000:
    ]
    left = {path.relative_to(tmp_path / "results/dataset") for path in (tmp_path / "results").rglob("*")}
    left -= {path.relative_to(dataset) for path in dataset.rglob("*")}
    assert {path.suffix for path in left if path.suffix} == {".cache", ".npy"}
    assert digests == [digest_of(tmp_path / "results"), digest_of(tmp_path / "results/dataset")]


def test_the_lists_beside_data_yaml_name_every_image_and_nothing_else(dataset: Path) -> None:
    data = yaml.safe_load((dataset / "data.yaml").read_text(encoding="utf-8"))
    for split in SPLITS:
        named = [dataset / line for line in (dataset / f"{split}.txt").read_text().splitlines()]
        assert sorted(named) == sorted((dataset / "images" / split).glob("*.jpg"))
        labels = [Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt") for path in named]
        assert sorted(labels) == sorted((dataset / "labels" / split).glob("*"))
    assert (dataset / "classes.txt").read_text(encoding="utf-8").splitlines() == list(data["names"].values()) == CLASSES


@pytest.mark.parametrize("split", ["train", "val"])
def test_webdataset_pairs_images_and_labels(dataset: Path, split: str) -> None:
    import webdataset

    shards = [str(path) for path in sorted((dataset / "shards").glob(f"{split}-*.tar"))]
    found: dict[str, NamedBoxes] = {}
    keys: Counter[str] = Counter()
    for sample in webdataset.WebDataset(shards, shardshuffle=False).decode("pil"):
        about = sample["json"]
        keys[sample["__key__"]] += 1
        assert sample["jpg"].size == (about["width"], about["height"]) == SIZE_PX
        assert (dataset / about["file"]).is_file()
        found[Path(about["file"]).stem] = [(o["bbox_xyxy_px"], o["class"]) for o in about["objects"]]
        assert all(CLASSES[o["class_number"]] == o["class"] for o in about["objects"])
    assert_same(found, split)
    assert set(keys.values()) == {1} and len(keys) == len(truth()[split])


@pytest.mark.parametrize("split", SPLITS)
def test_pandas_reads_the_tables(dataset: Path, split: str) -> None:
    table = pd.read_parquet(dataset / f"data/{split}.parquet")
    found = {
        Path(row["file"]).stem: list(zip([list(b) for b in row["boxes_xyxy_px"]], row["classes"], strict=True))
        for row in table.to_dict("records")
    }
    assert_same(found, split)
    assert set(table.columns) == {
        "file", "video", "pts_s", "width", "height", "boxes_xyxy_px", "classes", "confidences",
    }  # fmt: skip
    assert all((dataset / file).is_file() for file in table["file"])


def test_mlcroissant_accepts_the_description(dataset: Path, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("mlcroissant")), "validate", "--jsonld"]
    done = subprocess.run(
        [*command, str(dataset / "croissant.json")],
        env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Done." in done.stderr, done.stderr
    warned = [line for line in done.stderr.splitlines() if "WARNING" in line or "  -  " in line]
    assert all("is recommended" in line for line in warned), warned  # a date would be a clock, a version made up


def test_mlcroissant_iterates_over_images_boxes_and_pictures(dataset: Path) -> None:
    import mlcroissant

    loaded = mlcroissant.Dataset(str(dataset / "croissant.json"))
    found: dict[str, dict[str, NamedBoxes]] = {split: {} for split in SPLITS}
    for record in loaded.records("images"):
        objects = [
            (o["images/objects/boxes_xyxy_px"], o["images/objects/classes"].decode()) for o in record["images/objects"]
        ]
        found[record["images/split"].decode()][Path(record["images/file"].decode()).stem] = objects
    for split in SPLITS:
        assert_same(found[split], split)
    pictures = {
        r["pictures_by_file/file"].decode(): r["pictures_by_file/image"] for r in loaded.records("pictures_by_file")
    }
    assert {Path(file).stem for file in pictures} == {stem for split in SPLITS for stem in found[split]}
    assert {picture.size for picture in pictures.values()} == {SIZE_PX}


def test_the_same_input_gives_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    again = export(tmp_path, settings())
    files = {path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    assert [f for f in sorted(files) if (dataset / f).read_bytes() != (again / f).read_bytes()] == []


def test_outputs_that_nobody_configured_do_not_exist(tmp_path: Path) -> None:
    folder = export(tmp_path, settings(formats=["coco"]))
    assert sorted(path.name for path in folder.iterdir()) == [
        "ATTRIBUTION.tsv", "README.md", "annotations", "audit.json", "images", "ledger.parquet", "manifest.parquet",
        "videos.tsv",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "images").iterdir()) == ["test", "train", "val"]
    boxes = [a["bbox"] for a in read_json(folder / "annotations/instances_val.json")["annotations"]]
    assert boxes == [xywh(box) for image in truth()["val"].values() for box, _ in image]


@pytest.mark.public_report(
    "fiftyone 1952", saw="labels are swapped, because each split numbers only the classes that it has",
    here="a class has one number in all splits",
)  # fmt: skip
def test_classes_have_the_same_numbers_in_splits_that_lack_others(tmp_path: Path) -> None:
    import supervision

    other = (BOX[0], 1, 0.5)
    frames: Frames = {"a": ("train", {0: [other]}), "b": ("val", {0: [BOX]})}
    dataset = export(tmp_path, settings(formats=["yolo", "coco"]), frames=frames)
    for split, name in (("train", CLASSES[1]), ("val", CLASSES[0])):
        images, labels = str(dataset / "images" / split), str(dataset / "labels" / split)
        instances = str(dataset / f"annotations/instances_{split}.json")
        for loaded in (
            supervision.DetectionDataset.from_yolo(images, labels, str(dataset / "data.yaml")),
            supervision.DetectionDataset.from_coco(str(dataset), instances),
        ):
            [(_, _, seen)] = list(loaded)
            assert seen.class_id is not None and [loaded.classes[n] for n in seen.class_id] == [name]
