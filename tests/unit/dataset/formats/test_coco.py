"""COCO's document counts from one and gives boxes by their size."""

from typing import Any

from scripts.dataset.formats.coco import coco

ROW: dict[str, Any] = {
    "video": "v", "frame": "000001000.jpg", "width": 200, "height": 100, "pts_s": 1.0, "file": "images/v.jpg",
    "boxes_xyxy_px": [[20.0, 10.0, 60.0, 50.0]], "classes": ["dog"], "confidences": [0.91234],
}  # fmt: skip


def test_coco_counts_ids_from_one_and_boxes_as_width_and_height() -> None:
    document = coco([ROW, ROW], ["car", "dog"])
    assert [image["id"] for image in document["images"]] == [1, 2]
    second = document["annotations"][1]
    assert (second["id"], second["image_id"], second["category_id"]) == (2, 2, 2)
    assert (second["bbox"], second["area"], second["score"]) == ([20.0, 10.0, 40.0, 40.0], 1600.0, 0.9123)
    assert document["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}]
