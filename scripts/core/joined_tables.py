"""Join the tables of several videos into one, and read some of its columns."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.core.files import whole_file
from scripts.core.tables import open_table

VIDEO = "video"  # the column


def join_tables(path: Path, tables: Mapping[str, Path], schema: pa.Schema) -> None:
    """Write the rows of the tables of these videos into one, in the order of the videos, each with its video.

    `schema` is that of all tables. Raise Damaged if one cannot be read.
    """
    parts = [_read(video, table, schema) for video, table in tables.items()]
    if VIDEO not in schema.names:
        schema = schema.insert(0, pa.field(VIDEO, pa.string()))
    joined = pa.concat_tables(parts) if parts else pa.Table.from_batches([], schema)
    with whole_file(path) as part:
        pq.write_table(joined, part, compression="zstd")


def read_columns(path: Path, names: Iterable[str]) -> list[Any]:
    """Return some columns of a table, as a dict per row; the caller annotates the type of a row."""
    with open_table(path) as file:
        rows: list[Any] = file.read(columns=list(names)).to_pylist()
    return rows


def _read(video: str, path: Path, schema: pa.Schema) -> pa.Table:
    with open_table(path) as file:
        table = file.read(columns=schema.names).replace_schema_metadata(None)
    if VIDEO in schema.names:
        return table
    return table.add_column(0, pa.field(VIDEO, pa.string()), pa.array([video] * len(table), pa.string()))
