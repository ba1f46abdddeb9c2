"""COCO's document counts from one and gives boxes by their size."""

import pytest

from scripts.dataset.formats.coco import coco
from tests._dataset_rows import image_row

ROW = image_row("v/000001000.jpg", ["dog"])


@pytest.mark.public_report(
    "fiftyone 4615", saw="COCO category ids start at 0, which CVAT does not import",
    here="they start at 1",
)  # fmt: skip
@pytest.mark.public_report(
    "supervision 2276", saw="category ids start at 0, image ids at 1",
    here="all ids start at 1",
)  # fmt: skip
def test_coco_counts_ids_from_one_and_boxes_as_width_and_height() -> None:
    document = coco([ROW, ROW], ["car", "dog"])
    assert [image["id"] for image in document["images"]] == [1, 2]
    second = document["annotations"][1]
    assert (second["id"], second["image_id"], second["category_id"]) == (2, 2, 2)
    assert (second["bbox"], second["area"], second["score"]) == ([20.0, 10.0, 40.0, 40.0], 1600.0, 0.9123)
    assert document["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
