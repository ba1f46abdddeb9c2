"""Write labels beside the images, in the format of Hugging Face's imagefolder."""

import json
from pathlib import Path
from typing import Any

from scripts.core.files import write_text
from scripts.core.row_types import ImageRow
from scripts.dataset.formats.images import Dataset, objects_of, typical_first, xywh


def write_imagefolder(dataset: Dataset) -> None:
    """Write images/{split}/metadata.jsonl, a line per image; no file for a split without images."""
    for split, rows in dataset.images.items():
        if rows:
            lines = [json.dumps(metadata(row), ensure_ascii=False) + "\n" for row in typical_first(rows)]
            write_text(dataset.folder / "images" / split / "metadata.jsonl", "".join(lines))


def metadata(row: ImageRow) -> dict[str, Any]:
    """Return the line of an image: boxes as left, top, width, height in pixels, and classes by name."""
    found = list(objects_of(row))
    return {
        "file_name": Path(row["file"]).name,
        "video": row["video"],
        "pts_s": row["pts_s"],
        "width": row["width"],
        "height": row["height"],
        "objects": {
            "bbox": [xywh(box) for box, _, _ in found],
            "categories": [label for _, label, _ in found],
            "confidence": [score for _, _, score in found],
        },
    }
