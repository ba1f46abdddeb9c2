"""Shards are bounded, hold each image once, and are the same bytes whenever they are written."""

import tarfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.dataset.formats.images import Dataset
from scripts.dataset.formats.webdataset import shard_key, write_shards
from scripts.inputs.videos import VIDEO_ID
from tests._dataset_rows import image_row


@given(st.lists(st.from_regex(VIDEO_ID, fullmatch=True), unique=True))
def test_keys_have_no_dots_and_differ_as_names_do(names: list[str]) -> None:
    keys = [shard_key(name) for name in names]
    assert not any("." in key for key in keys) and len(set(keys)) == len(keys)


def test_a_shard_is_closed_before_it_grows_beyond_the_bound(tmp_path: Path) -> None:
    rows = []
    for i, size in enumerate((400, 400, 5000, 10, 10)):
        (tmp_path / f"{i}.jpg").write_bytes(b"x" * size)
        rows.append(image_row("v/f.jpg", [], file=f"{i}.jpg"))
    dataset = Dataset(tmp_path, ["car"], {"train": rows[::-1], "test": []})
    write_shards(dataset, shard_bytes=1200)
    shards = sorted((tmp_path / "shards").iterdir())
    assert [shard.name for shard in shards] == ["train-000000.tar", "train-000001.tar", "train-000002.tar"]
    members = []
    for shard in shards:
        with tarfile.open(shard) as tar:
            members.append(tar.getmembers())
    assert [[m.name for m in of_shard] for of_shard in members] == [
        ["0.jpg", "0.json", "1.jpg", "1.json"],
        ["2.jpg", "2.json"],
        ["3.jpg", "3.json", "4.jpg", "4.json"],
    ]
    for member in sum(members, []):
        assert (member.mtime, member.uid, member.gid, member.uname, member.mode) == (0, 0, 0, "", 0o644)
    before = [shard.read_bytes() for shard in shards]
    write_shards(replace(dataset, images={"train": rows}), shard_bytes=1200)
    assert [shard.read_bytes() for shard in shards] == before
