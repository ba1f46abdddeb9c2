"""COCO's document gives boxes by their size, licences, and ids that are unique and stable over splits and runs."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.row_types import ImageRow
from scripts.dataset.formats.coco import coco
from scripts.dataset.formats.images import Dataset
from tests._dataset_rows import image_row

CLASSES = ["car", "dog"]
SPLITS: dict[str, list[ImageRow]] = {
    "train": [image_row("v/000001000.jpg", ["dog"]), image_row("v/000002000.jpg", ["dog", "car"])],
    "val": [image_row("w/000001000.jpg", ["car"])],
    "test": [],
}


def documents(images: dict[str, list[ImageRow]], licences: dict[str, str] | None = None) -> list[dict[str, Any]]:
    dataset = Dataset(Path(), CLASSES, images, licences or {})
    return [coco(dataset, split) for split in images]


def ids(document: dict[str, Any]) -> dict[str, int]:
    """Return the ids of images and objects by what they are of."""
    names = {image["id"]: image["file_name"] for image in document["images"]}
    found = {name: number for number, name in names.items()}
    for annotation in document["annotations"]:
        of_image = names[annotation["image_id"]]
        found[f"{of_image} {sum(key.startswith(of_image) for key in found)}"] = annotation["id"]
    return found


@pytest.mark.public_report(
    "fiftyone 4615", saw="COCO category ids start at 0, which CVAT does not import", here="they start at 1"
)
@pytest.mark.public_report(
    "supervision 2276", saw="category ids start at 0, image ids at 1", here="category ids start at 1, no other id is 0"
)
def test_boxes_are_left_top_width_height_and_classes_count_from_one() -> None:
    document = documents(SPLITS)[0]
    image, annotation = document["images"][0], document["annotations"][0]
    assert (annotation["image_id"], annotation["category_id"]) == (image["id"], 2)
    assert (annotation["bbox"], annotation["area"], annotation["score"]) == ([20.0, 10.0, 40.0, 40.0], 1600.0, 0.9123)
    assert (annotation["segmentation"], annotation["iscrowd"]) == ([], 0)
    assert document["categories"] == [
        {"id": 1, "name": "car", "supercategory": "car"},
        {"id": 2, "name": "dog", "supercategory": "dog"},
    ]


@pytest.mark.public_report(
    "roboflow/supervision 768",
    saw="annotation ids start from 1 in each split, so splits collide when they are merged",
    here="an id is in one split only",
)
@pytest.mark.public_report(
    "Unity-Technologies/datasetinsights 217",
    saw="annotation ids are not unique, and Detectron2 refuses to train",
    here="each object has an id of its own",
)
def test_ids_are_unique_over_all_splits_and_fit_where_numbers_are_floats() -> None:
    found = [number for document in documents(SPLITS) for number in ids(document).values()]
    assert len(found) == len(set(found)) == 7
    assert all(0 < number < 2**53 and number == int(float(number)) for number in found)


def test_ids_stay_when_a_video_is_added_or_a_video_changes_its_split() -> None:
    more = image_row("a_new/000000000.jpg", ["dog", "dog"])
    to_test: list[Any] = [{**row, "file": row["file"].replace("/train/", "/test/")} for row in SPLITS["train"]]
    moved = {"train": [more], "val": SPLITS["val"], "test": to_test}
    before = {Path(name).name: number for document in documents(SPLITS) for name, number in ids(document).items()}
    after = {Path(name).name: number for document in documents(moved) for name, number in ids(document).items()}
    assert len(before) == 7 and before.items() < after.items()


def test_each_image_names_the_licence_of_its_video() -> None:
    licences = {"v": "https://h.example/by/4.0", "w": ""}
    train, val, test = documents(SPLITS, licences)
    assert train["licenses"] == val["licenses"] == test["licenses"]
    names = {licence["id"]: licence["name"] for licence in train["licenses"]}
    assert [names[image["license"]] for image in train["images"] + val["images"]] == [
        *["https://h.example/by/4.0"] * 2,
        "not stated",
    ]
    assert {licence["url"] for licence in train["licenses"]} == {"https://h.example/by/4.0", ""}
    other = documents(SPLITS, licences | {"w": "CC BY"})[0]["licenses"]
    assert [licence for licence in train["licenses"] if licence in other] == [
        licence for licence in train["licenses"] if licence["name"] != "not stated"
    ], "an id of a licence depends on the others"
