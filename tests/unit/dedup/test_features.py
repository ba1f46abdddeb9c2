"""What the stages before wrote is read back, and files of other frames are an error."""

from pathlib import Path

import numpy as np
import pytest

from scripts.dedup.features import Hashes, VideoFiles, load_passed, load_vectors, read_appearances
from scripts.dedup.hash_frames import hash_frames
from scripts.dedup.hashing import ROLES
from tests._gathered import gather_frames
from tests._hashed import cone, lay_out_filtered


def test_frames_hashes_and_objects_are_read_back(tmp_path: Path) -> None:
    source = VideoFiles(lay_out_filtered(tmp_path / "filtered") / "filter.parquet", tmp_path / "hashes")
    hash_frames(source.filtered.parent, "phash", source.hashes)
    frames, hashes = load_passed([gather_frames(tmp_path / "shard", {"v": source})], ["v"])
    assert frames["confidence"].tolist() == [0.75] * 3 and len(hashes.codes) == 3 * 6
    (first, *_) = read_appearances(source).values()
    assert first.boxes.round(4).tolist() == [[0.1, 0.1, 0.2, 0.2]] and first.content == (0, 0, 1, 1)


def test_hashes_of_other_frames_are_an_error(tmp_path: Path) -> None:
    source = VideoFiles(lay_out_filtered(tmp_path / "filtered") / "filter.parquet", tmp_path / "hashes")
    hash_frames(lay_out_filtered(tmp_path / "other", 2), "phash", source.hashes)
    with pytest.raises(ValueError, match="hashes/v does not match the frames in filtered/v"):
        load_passed([gather_frames(tmp_path / "shard", {"v": source})], ["v"])


def test_a_video_without_frames_has_no_hashes(tmp_path: Path) -> None:
    hash_frames(lay_out_filtered(tmp_path / "none", 0), "phash", tmp_path / "hashes")
    source = VideoFiles(tmp_path / "none/filter.parquet", tmp_path / "hashes")
    frames, hashes = load_passed([gather_frames(tmp_path / "shard", {"v": source})], ["v"])
    assert len(frames) == len(hashes.codes) == 0


def test_vectors_are_read_by_role_and_vectors_of_other_frames_are_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", cone(0, 4, 1.0).reshape(2, 2, -1))
    files = {"a": tmp_path / "a.npy"}
    both = load_vectors(files, {"a": 2}, frozenset({"content", "mirror"}))
    assert both.owners.tolist() == [0, 0, 1, 1] and [ROLES[r] for r in both.roles[:2]] == ["content", "mirror"]
    assert (load_vectors(files, {"a": 2}, frozenset({"content"})).codes == cone(0, 4, 1.0)[::2]).all()
    with pytest.raises(ValueError, match=r"a\.npy does not match the frames that passed: delete it"):
        load_vectors(files, {"a": 3}, frozenset({"content"}))


def test_selected_hashes_follow_the_new_order_of_frames() -> None:
    roles = np.array([ROLES.index(role) for role in ("content", "core", "content", "mirror")], np.uint8)
    hashes = Hashes(np.array([1, 2, 3, 4], np.uint64), np.array([0, 0, 1, 1]), roles)
    chosen = hashes.select(frozenset({"content", "core"}), np.array([1, 0]))
    assert (chosen.codes.tolist(), chosen.owners.tolist()) == ([3, 1, 2], [0, 1, 1])
    assert chosen.is_inner_crop.tolist() == [False, False, True] and chosen.of(1, 2) == slice(1, 3)
