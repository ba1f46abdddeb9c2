"""Write labels beside the images, in the format of Hugging Face's imagefolder."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.core.row_types import ImageRow
from scripts.core.tables import write_table
from scripts.dataset.formats.images import (
    Dataset,
    area,
    image_name,
    object_name,
    objects_of,
    xywh,
)

# Hugging Face looks for this name, or for .jsonl or .csv. From these it guesses types, also against the card's: the
# video id 2024-01-01 became a time.
METADATA = "metadata.parquet"
COLUMNS = pa.schema(
    [
        ("file_name", pa.string()),
        ("image_id", pa.int64()),
        ("video", pa.string()),
        ("pts_s", pa.float64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        (
            "objects",
            pa.struct(
                [
                    ("id", pa.list_(pa.int64())),
                    ("bbox", pa.list_(pa.list_(pa.float64()))),
                    ("area", pa.list_(pa.float64())),
                    ("category", pa.list_(pa.int64())),
                    ("confidence", pa.list_(pa.float64())),
                ]
            ),
        ),
    ]
)


def write_imagefolder(dataset: Dataset) -> None:
    """Write images/{split}/metadata.parquet, a row per image; no file for a split without images."""
    for split, rows in dataset.images.items():
        if rows:
            table = dataset.folder / "images" / split / METADATA
            write_table(table, (metadata(dataset, row) for row in rows), COLUMNS)


def metadata(dataset: Dataset, row: ImageRow) -> dict[str, Any]:
    """Return the row of an image: boxes as left, top, width, height in pixels, classes by number. Ids are COCO's."""
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
