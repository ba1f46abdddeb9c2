"""Tables of several videos become one, from which columns can be read."""

from pathlib import Path

import pyarrow as pa
import pytest

from scripts.core.errors import Damaged
from scripts.core.joined_tables import join_tables
from scripts.core.tables import read_rows, write_table

PLAIN = pa.schema([("frame", pa.string()), ("hashes", pa.list_(pa.string()))])
NAMED = pa.schema([("video", pa.string()), ("frame", pa.string())])


def test_rows_follow_the_order_of_the_videos_and_name_them(tmp_path: Path) -> None:
    for video, frames in {"b": ["1", "2"], "a": [], "c": ["3"]}.items():
        write_table(tmp_path / f"{video}.parquet", [{"frame": f, "hashes": [f]} for f in frames], PLAIN, note=video)
    join_tables(tmp_path / "all.parquet", {video: tmp_path / f"{video}.parquet" for video in "cab"}, PLAIN)
    assert [(row["video"], row["frame"]) for row in read_rows(tmp_path / "all.parquet")] == [
        ("c", "3"), ("b", "1"), ("b", "2"),
    ]  # fmt: skip
    assert read_rows(tmp_path / "all.parquet", ["hashes"])[0] == {"hashes": ["3"]}


def test_a_column_of_the_video_stays_and_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", [{"video": "a", "frame": "1"}], NAMED)
    for name in ("one", "two"):
        join_tables(tmp_path / name, {"a": tmp_path / "a.parquet"}, NAMED)
    assert read_rows(tmp_path / "one") == [{"video": "a", "frame": "1"}]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    join_tables(tmp_path / "none", {}, PLAIN)
    assert read_rows(tmp_path / "none") == []


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(Damaged, match=r"a\.parquet is damaged"):
        join_tables(tmp_path / "all", {"a": tmp_path / "a.parquet"}, NAMED)
