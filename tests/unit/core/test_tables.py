"""Parquet tables keep rows, types and their note."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.core import tables
from scripts.core.tables import count_rows, read_note, read_rows, write_table
from tests._places import REPO

SCHEMA = pa.schema([("video", pa.string()), ("pts_s", pa.float64()), ("boxes", pa.list_(pa.list_(pa.float32())))])


def test_rows_come_back_in_order_with_null_for_missing_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 2)
    rows = [{"video": f"é{i}", "pts_s": i / 3, "boxes": [[1.5, float(i)]]} for i in range(5)]
    write_table(tmp_path / "t", [*rows, {"video": "x"}], SCHEMA, note="why")
    assert read_rows(tmp_path / "t") == [*rows, {"video": "x", "pts_s": None, "boxes": None}]
    assert count_rows(tmp_path / "t") == 6 and read_note(tmp_path / "t") == "why"


def test_empty_tables_keep_their_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "t", [], SCHEMA)
    assert read_rows(tmp_path / "t") == [] and read_note(tmp_path / "t") == ""
    assert pq.read_schema(tmp_path / "t").names == SCHEMA.names


def test_an_empty_table_is_written_without_pandas(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from scripts.core.schemas import FILTER
from scripts.core.tables import write_table
write_table(Path(sys.argv[1]), [], FILTER)
print("pandas" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "none.parquet")]
    assert subprocess.run(command, capture_output=True, check=True, cwd=REPO, text=True).stdout == "False\n"


def test_unknown_columns_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid, match="unexpected field"):
        write_table(tmp_path / "t", [{"video": "a", "typo": 1}], SCHEMA)
    assert not list(tmp_path.iterdir())
