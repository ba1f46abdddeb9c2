"""Write labels beside the images, in the format of Hugging Face's imagefolder."""

import json
from pathlib import Path
from typing import Any

from scripts.core.files import write_text
from scripts.core.row_types import ImageRow
from scripts.dataset.formats.images import (
    Dataset,
    area,
    image_name,
    object_name,
    objects_of,
    typical_first,
    xywh,
)

METADATA = "metadata.jsonl"  # Hugging Face looks for this name


def write_imagefolder(dataset: Dataset) -> None:
    """Write images/{split}/metadata.jsonl, a line per image; no file for a split without images."""
    for split, rows in dataset.images.items():
        if rows:
            lines = [json.dumps(metadata(dataset, row), ensure_ascii=False) + "\n" for row in typical_first(rows)]
            write_text(dataset.folder / "images" / split / METADATA, "".join(lines))


def metadata(dataset: Dataset, row: ImageRow) -> dict[str, Any]:
    """Return the line of an image: boxes as left, top, width, height in pixels, classes by number. Ids are COCO's."""
    found = list(objects_of(row))
    return {
        "file_name": Path(row["file"]).name,
        "image_id": dataset.ids[image_name(row)],
        "video": row["video"],
        "pts_s": row["pts_s"],
        "width": row["width"],
        "height": row["height"],
        "objects": {
            "id": [dataset.ids[object_name(row, number)] for number in range(len(found))],
            "bbox": [xywh(box) for box, _, _ in found],
            "area": [area(box) for box, _, _ in found],
            "category": [dataset.classes.index(label) for _, label, _ in found],
            "confidence": [score for _, _, score in found],
        },
    }


def features(classes: list[str]) -> list[dict[str, Any]]:
    """Return the types of `metadata`, in the words of a dataset card: they hold the names of the classes."""
    names = {str(number): name for number, name in enumerate(classes)}
    objects = {
        "id": "int64",
        "bbox": {"sequence": "float64", "length": 4},
        "area": "float64",
        "category": {"class_label": {"names": names}},
        "confidence": "float64",
    }
    plain = {"image": "image", "image_id": "int64", "video": "string", "pts_s": "float64"}
    plain |= {"width": "int32", "height": "int32"}
    return [
        *({"name": name, "dtype": kind} for name, kind in plain.items()),
        {"name": "objects", "struct": [{"name": name, "sequence": kind} for name, kind in objects.items()]},
    ]
