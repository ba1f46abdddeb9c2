"""Join the tables of several videos into one."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from scripts.core.tables import open_table, write_arrow

VIDEO = "video"  # the column


def join_tables(path: Path, tables: Mapping[str, Path], schema: pa.Schema) -> None:
    """Write the rows of the tables of these videos into one, in the order of the videos, each with its video.

    `schema` is that of all tables. Raise Damaged if one cannot be read.
    """
    parts = [_read(video, table, schema) for video, table in tables.items()]
    if VIDEO not in schema.names:
        schema = schema.insert(0, pa.field(VIDEO, pa.string()))
    write_arrow(path, pa.concat_tables(parts) if parts else pa.Table.from_batches([], schema))


def _read(video: str, path: Path, schema: pa.Schema) -> pa.Table:
    with open_table(path) as file:
        table = file.read(columns=schema.names).replace_schema_metadata(None)
    if VIDEO in schema.names:
        return table
    return table.add_column(0, pa.field(VIDEO, pa.string()), pa.array([video] * len(table), pa.string()))
