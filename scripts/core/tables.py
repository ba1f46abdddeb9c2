"""The tables that the stages hand on: their columns, and how they are written and read."""

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from scripts.core.files import whole_file

ROWS_AT_ONCE = 100_000  # pyarrow reads no more than 2 GB of JSON at once

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
FILTER = pa.schema(_FRAME + _BOXES + [("passed", pa.bool_()), ("background", pa.bool_())] + _FATE)
# A hash has a role (see scripts/_hashing.py); left, top, right, bottom (shares of the picture) lie between its bars.
HASHES = pa.schema(
    [
        ("frame", pa.string()),
        ("roles", pa.list_(pa.string())),
        ("hashes", pa.list_(pa.string())),
        ("left", pa.float64()),
        ("top", pa.float64()),
        ("right", pa.float64()),
        ("bottom", pa.float64()),
    ]
)
# `role` is that of the frame's own hash that met one of the representative: of its mirror image, for example. `rivals`
# are kept frames, one per other video, with a near hash but other objects.
MANIFEST = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.string()),
        ("group", pa.string()),
        ("keep", pa.bool_()),
        ("representative", pa.string()),
        ("distance_bits", pa.int16()),
        ("role", pa.string()),
        ("rivals", pa.list_(pa.string())),
        ("score", pa.float64()),
        ("hash", pa.string()),
    ]
)
DETECTIONS = pa.schema(
    [("video", pa.string()), ("frame", pa.string()), ("width", pa.int32()), ("height", pa.int32()), *_BOXES]
)
IMAGES = pa.schema(
    [("file", pa.string()), *((name, kind) for name, kind in _FRAME if name in ("video", "pts_s", "width", "height"))]
    + _BOXES
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
# What others need to make the same pictures again, and what became of each when they did.
PUBLISHED = pa.schema(
    [
        ("video", pa.string()),
        ("pts_s", pa.float64()),
        ("frame", pa.string()),
        ("file", pa.string()),
        ("split", pa.string()),
        ("phash", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        *_BOXES,
    ]
)
RETAKEN = pa.schema(
    [("frame", pa.string()), ("outcome", pa.string()), ("reason", pa.string()), ("distance_bits", pa.int16())]
)


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, note: str = "") -> None:
    """Write rows as parquet, whole or not at all; columns that a row lacks are null, unknown ones an error.

    `note` is what a person should know of the table, such as why it is empty; the registry shows it.
    """
    listed = list(rows)
    parts = [_table_of(listed[i : i + ROWS_AT_ONCE], schema) for i in range(0, max(len(listed), 1), ROWS_AT_ONCE)]
    table = pa.concat_tables(parts).replace_schema_metadata({"note": note})
    with whole_file(path) as part:
        pq.write_table(table, part, compression="zstd")


def _table_of(rows: list[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table, by way of JSON: pyarrow's own way from lists imports pandas, 0.3 s in every job."""
    if not rows:
        return schema.empty_table()
    lines = "\n".join(map(json.dumps, rows)).encode()
    return pa_json.read_json(
        io.BytesIO(lines),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a parquet table as a list of rows."""
    with pq.ParquetFile(path) as file:  # pq.read_table would import pandas
        rows: list[dict[str, Any]] = file.read().to_pylist()
    return rows


def count_rows(path: Path) -> int:
    """Return how many rows a parquet table has, without reading them."""
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def read_note(path: Path) -> str:
    """Return the note written with a table."""
    with pq.ParquetFile(path) as file:
        metadata: dict[bytes, bytes] = file.schema_arrow.metadata or {}
    return metadata.get(b"note", b"").decode()
