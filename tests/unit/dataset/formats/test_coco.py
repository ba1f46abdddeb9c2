"""COCO's document counts from one and gives boxes by their size."""

from scripts.dataset.formats.coco import coco
from tests._dataset_rows import image_row

ROW = image_row("v/000001000.jpg", ["dog"])


def test_coco_counts_ids_from_one_and_boxes_as_width_and_height() -> None:
    document = coco([ROW, ROW], ["car", "dog"])
    assert [image["id"] for image in document["images"]] == [1, 2]
    second = document["annotations"][1]
    assert (second["id"], second["image_id"], second["category_id"]) == (2, 2, 2)
    assert (second["bbox"], second["area"], second["score"]) == ([20.0, 10.0, 40.0, 40.0], 1600.0, 0.9123)
    assert document["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
