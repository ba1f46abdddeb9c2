"""Rows of a published manifest, and the output of frames as published."""

from pathlib import Path
from typing import Any

from scripts.core.files import sha256_of
from scripts.core.row_types import PublishedRow
from scripts.rehydrate.instants import FrameOutput
from tests._clips import DEFAULTS

OUTPUT = FrameOutput(DEFAULTS["max_side_px"], DEFAULTS["jpeg_qscale"], threads=2, deadline_s=60)


def published_row(**changes: Any) -> PublishedRow:
    """Return a row of a manifest, with these keys changed."""
    row: Any = {
        "video": "v", "pts_s": 1.0, "frame": "000001000.jpg", "file": "images/train/v__000001000.jpg",
        "split": "train", "phash": "0" * 16, "sha256": "0" * 64, "width": 8, "height": 8,
        "boxes_xyxy_px": [], "classes": [], "confidences": [],
    }  # fmt: skip
    return row | changes  # type: ignore[no-any-return]


def published_rows(folder: Path, rows: list[Any]) -> list[PublishedRow]:
    """Return the rows of a manifest for the kept frames in a folder."""
    columns = ("pts_s", "frame", "phash", "width", "height")
    return [
        published_row(**{key: row[key] for key in columns}, sha256=sha256_of(folder / row["frame"]))
        for row in rows
        if row["keep"]
    ]
