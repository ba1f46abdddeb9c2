"""Write and read parquet tables."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from scripts.core.files import damaged, whole_file

ROWS_AT_ONCE = 100_000  # pyarrow reads at most 2 GB of JSON at once


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, note: str = "") -> None:
    """Write rows as parquet, whole or not at all; columns that a row lacks are null, unknown ones an error.

    `note` is a text for people, such as why the table is empty; the registry shows it.
    """
    listed = list(rows)
    parts = [_table_of(listed[i : i + ROWS_AT_ONCE], schema) for i in range(0, max(len(listed), 1), ROWS_AT_ONCE)]
    table = pa.concat_tables(parts).replace_schema_metadata({"note": note})
    write_arrow(path, table)


def write_arrow(path: Path, table: pa.Table) -> None:
    """Write a table as parquet, whole or not at all."""
    with whole_file(path) as part:
        pq.write_table(table, part, compression="zstd")


def _table_of(rows: list[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table. It goes through JSON: pyarrow imports pandas to read lists, 0.3 s in every job."""
    if not rows:
        return pa.Table.from_batches([], schema)  # schema.empty_table() imports pandas as well
    lines = "\n".join(map(json.dumps, rows)).encode()
    return pa_json.read_json(
        io.BytesIO(lines),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


@contextmanager
def open_table(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a parquet table. Raise OSError if there is none, Damaged if it cannot be read, also while it is read."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None):  # the system's answer, such as: no such file
            raise
        raise damaged(path, error) from None


def read_rows(path: Path, columns: Sequence[str] | None = None) -> list[Any]:
    """Return the rows of a parquet table as dicts, see schemas.py; the caller annotates the type of a row.

    They have only these columns, if some are named.
    """
    with open_table(path) as file:  # pq.read_table would import pandas
        rows: list[Any] = file.read(columns=columns and list(columns)).to_pylist()
    return rows


def count_rows(path: Path) -> int:
    """Return how many rows a parquet table has, without reading them."""
    with open_table(path) as file:
        return int(file.metadata.num_rows)


def read_note(path: Path) -> str:
    """Return the note written with a table."""
    with open_table(path) as file:
        metadata: dict[bytes, bytes] = file.schema_arrow.metadata or {}
    return metadata.get(b"note", b"").decode()
