"""Outputs that were cut short are found, and only those."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import HASHES_TABLE, record_path
from scripts.core.tables import count_rows, read_note, read_rows, write_table
from scripts.dedup.features import load_array
from scripts.inputs.gathered import RECORDS, write_gathered
from scripts.run.damage import damaged_outputs, is_whole
from scripts.run.failures import describe_failed_download
from tests._gathered import gather_frames

SCHEMA = pa.schema([("a", pa.int64())])


def write_array(path: Path, *shape: int) -> None:
    np.save(path, np.zeros(shape, np.float16))


def write_numbers(path: Path) -> None:
    write_table(path, [{"a": number} for number in range(1000)], SCHEMA)


WRITERS: dict[str, Callable[[Path], object]] = {
    "t.parquet": write_numbers,
    "empty.parquet": lambda path: write_table(path, [], SCHEMA),
    "v.npy": lambda path: write_array(path, 5, 2, 7),
    "empty.npy": lambda path: write_array(path, 0, 2),
    "r.json": lambda path: path.write_text('{"a": 1}'),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_whole_only_at_its_full_length(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    body = path.read_bytes()
    assert is_whole(path)
    for length in {0, 1, 4, len(body) // 2, len(body) - 1} - ({len(body) // 2} if name == "empty.npy" else set()):
        path.write_bytes(body[:length])
        assert not is_whole(path), length
    path.unlink()
    assert is_whole(path), "a missing file is not damaged: Snakemake makes it"


@pytest.mark.public_report(
    "astronomy-commons/hats-import 634",
    saw="a file that a dying job left: Parquet magic bytes not found in footer, and no rerun helps",
    here="the message names the file and the remedy, and the next run makes it again",
)
@pytest.mark.parametrize("spoil", [lambda b: b[:50], lambda _: b"", lambda b: b[:8] + b"x" * 60 + b[68:]])
def test_a_damaged_table_is_named_with_the_remedy(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "filtered/a/filter.parquet"
    path.parent.mkdir(parents=True)
    write_numbers(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=f"{path} is damaged .*: delete {path.parent} and run the same command again"):
        read_rows(path)
    if not is_whole(path):
        for read in (read_note, count_rows):
            with pytest.raises(UserError, match="is damaged"):
                read(path)


def test_damaged_json_and_arrays_are_named_with_the_remedy(tmp_path: Path) -> None:
    kept, vectors = tmp_path / "kept.json", tmp_path / "a.npy"
    for garbage in (b"garbage", b"\xff\xfe", b'{"a": ', b"[" * 100_000):
        kept.write_bytes(garbage)
        with pytest.raises(UserError, match=f"{kept} is damaged .*: delete {kept} and run the same command again"):
            read_json(kept)
    for garbage in (b"", b"garbage"):
        vectors.write_bytes(garbage)
        with pytest.raises(UserError, match=f"{vectors} is damaged"):
            load_array(vectors)
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path / "none.parquet")


def test_the_outputs_of_the_table_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for video in ("a", "gone"):
        path = record_path(tmp_path, video)
        path.parent.mkdir(parents=True)
        path.write_text("garbage")
    assert damaged_outputs(tmp_path, ["a", "b"]) == [str(record_path(tmp_path, "a"))]
    assert "video.json is damaged: the run makes" in capsys.readouterr().err
    assert describe_failed_download(record_path(tmp_path, "a")) == ""


def test_a_shard_that_lacks_a_file_or_has_a_damaged_one_is_gathered_again(tmp_path: Path) -> None:
    for shard in ("0of4", "1of4", "2of4"):
        gather_frames(tmp_path / "gathered/videos" / shard, {})
        write_gathered(tmp_path / "gathered/videos" / shard, {})
    assert damaged_outputs(tmp_path, [], ["0of4", "1of4", "2of4", "3of4"]) == []
    (tmp_path / "gathered/videos/1of4" / RECORDS).unlink()
    (tmp_path / "gathered/videos/2of4" / HASHES_TABLE).write_bytes(b"garbage")
    again = damaged_outputs(tmp_path, [], ["0of4", "1of4", "2of4", "3of4"])
    assert again == [str(tmp_path / "gathered/videos" / shard) for shard in ("1of4", "2of4")]
