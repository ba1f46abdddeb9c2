"""Write labels in COCO's format: a JSON document per split."""

from typing import Any

from scripts.core.files import write_json
from scripts.core.row_types import ImageRow
from scripts.dataset.formats.images import Dataset, objects_of, xywh


def write_coco(dataset: Dataset) -> None:
    """Write annotations/instances_{split}.json for each split."""
    for split, rows in dataset.images.items():
        write_json(dataset.folder / "annotations" / f"instances_{split}.json", coco(rows, dataset.classes))


def coco(rows: list[ImageRow], classes: list[str]) -> dict[str, Any]:
    """Return a COCO instances document; ids count from 1, file names are relative to the dataset's folder."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, row in enumerate(rows, 1):
        size = {"width": row["width"], "height": row["height"]}
        images.append({"id": image_id, "file_name": row["file"], "video": row["video"], "pts_s": row["pts_s"], **size})
        for box, label, score in objects_of(row):
            left, top, wide, high = xywh(box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": classes.index(label) + 1,
                    "bbox": [left, top, wide, high],
                    "area": round(wide * high, 2),
                    "iscrowd": 0,
                    "score": score,
                }
            )
    return {
        "info": {"description": "Made by reelsieve"},
        "licenses": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes, 1)],
        "images": images,
        "annotations": annotations,
    }
