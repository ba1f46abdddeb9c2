"""The tables that the stages hand on: their columns, and how they are written and read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts._files import whole_file

_FATE = [("reason", pa.string()), ("value", pa.float64()), ("threshold", pa.float64())]
_BOXES = [
    ("boxes_xyxy_px", pa.list_(pa.list_(pa.float32()))),
    ("classes", pa.list_(pa.string())),
    ("confidences", pa.list_(pa.float32())),
]
_FRAME = [
    ("video", pa.string()),
    ("frame", pa.string()),
    ("pts_s", pa.float64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("sharpness", pa.float32()),
    ("brightness", pa.float32()),
    ("entropy_bits", pa.float32()),
    ("phash", pa.string()),
    ("keep", pa.bool_()),
]

# `reason` is empty for what goes on; otherwise `value` missed `threshold` (both null where no number decides).
FRAMES = pa.schema(_FRAME + _FATE)
FILTER = pa.schema(_FRAME + _BOXES + [("passed", pa.bool_())] + _FATE)
MANIFEST = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.string()),
        ("group", pa.string()),
        ("keep", pa.bool_()),
        ("representative", pa.string()),
        ("distance_bits", pa.int16()),
        ("score", pa.float64()),
    ]
)
DETECTIONS = pa.schema(
    [("video", pa.string()), ("frame", pa.string()), ("width", pa.int32()), ("height", pa.int32()), *_BOXES]
)
LEDGER = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.string()),
        ("pts_s", pa.float64()),
        ("stage", pa.string()),
        *_FATE,
        ("split", pa.string()),
        ("file", pa.string()),
    ]
)


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, note: str = "") -> None:
    """Write rows as parquet, whole or not at all; columns that a row lacks are null, unknown ones an error.

    `note` is what a person should know of the table, such as why it is empty; the registry shows it.
    """
    listed = list(rows)
    unknown = {key for row in listed for key in row} - set(schema.names)
    if unknown:
        raise KeyError(f"{path}: columns not in the table's schema: {sorted(unknown)}")
    with whole_file(path) as part:
        pq.write_table(
            pa.Table.from_pylist(listed, schema=schema.with_metadata({"note": note})), part, compression="zstd"
        )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a parquet table as a list of rows."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def read_note(path: Path) -> str:
    """Return the note written with a table."""
    metadata: dict[bytes, bytes] = pq.read_schema(path).metadata or {}
    return metadata.get(b"note", b"").decode()
