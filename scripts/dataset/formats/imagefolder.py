"""Metadata beside the images, as Hugging Face's imagefolder reads it."""

import json
from pathlib import Path
from typing import Any

from scripts.core.files import write_text
from scripts.dataset.formats.images import Dataset, objects_of, typical_first, xywh


def write_imagefolder(dataset: Dataset) -> None:
    """Write images/{split}/metadata.jsonl, a line per image; no file in a split without images."""
    for split, rows in dataset.images.items():
        if rows:
            lines = [json.dumps(metadata(row), ensure_ascii=False) + "\n" for row in typical_first(rows)]
            write_text(dataset.folder / "images" / split / "metadata.jsonl", "".join(lines))


def metadata(row: dict[str, Any]) -> dict[str, Any]:
    """Return an image's line: boxes as left, top, width, height in pixels, and classes by name."""
    found = list(objects_of(row))
    return {
        "file_name": Path(row["file"]).name,
        **{key: row[key] for key in ("video", "pts_s", "width", "height")},
        "objects": {
            "bbox": [xywh(box) for box, _, _ in found],
            "categories": [label for _, label, _ in found],
            "confidence": [score for _, _, score in found],
        },
    }
