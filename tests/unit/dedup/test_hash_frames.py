"""Each frame that passed the filter is hashed, and the same frames give the same bytes."""

from pathlib import Path

import numpy as np
import pytest

from scripts.core.tables import read_rows
from scripts.dedup.hash_frames import hash_frames
from scripts.dedup.hashing import METHODS, THUMB_PX
from tests._hashed import lay_out_filtered


@pytest.mark.parametrize("method", METHODS)
def test_every_passed_frame_has_its_hashes_and_the_bytes_are_the_same_twice(tmp_path: Path, method: str) -> None:
    frames = lay_out_filtered(tmp_path / "filtered")
    for name in ("a", "b"):
        hash_frames(frames, method, tmp_path / name)
    for file in ("hashes.parquet", "thumbs.npy"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    rows = read_rows(tmp_path / "a/hashes.parquet")
    assert [row["frame"] for row in rows] == sorted(path.name for path in frames.glob("*.jpg"))
    assert all(len(row["roles"]) == len(row["hashes"]) > 0 for row in rows)
    assert np.load(tmp_path / "a/thumbs.npy").shape == (3, THUMB_PX, THUMB_PX, 3)


def test_a_video_without_frames_has_an_empty_table(tmp_path: Path) -> None:
    hash_frames(lay_out_filtered(tmp_path / "none", 0), "phash", tmp_path / "hashes")
    assert read_rows(tmp_path / "hashes/hashes.parquet") == []
