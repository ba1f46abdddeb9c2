"""Each frame that passed the filter is hashed, and the same frames give the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts.core.schemas import FILTER
from scripts.core.tables import read_rows, write_table
from scripts.dedup.features import VideoFiles, load_passed, read_appearances
from scripts.dedup.hash_frames import hash_frames
from scripts.dedup.hashing import METHODS, THUMB_PX


def filtered(folder: Path, count: int = 3) -> Path:
    """Lay out a filtered video of which every second frame passed."""
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        small = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
        picture = Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC)
        for passed in (True, False):
            name = f"{number:04d}{int(passed):05d}.jpg"
            if passed:
                picture.save(folder / name)
            rows.append(
                {
                    "video": "v", "frame": name, "width": 320, "height": 240, "sharpness": 1, "brightness": 1,
                    "entropy_bits": 1, "phash": "0" * 16, "keep": True, "passed": passed, "background": False,
                    "boxes_xyxy_px": [[32, 24, 64, 48]], "classes": ["dog"], "confidences": [0.75],
                }
            )  # fmt: skip
    write_table(folder / "filter.parquet", rows, FILTER)
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_every_passed_frame_has_its_hashes_and_the_bytes_are_the_same_twice(tmp_path: Path, method: str) -> None:
    frames = filtered(tmp_path / "filtered")
    for name in ("a", "b"):
        hash_frames(frames, method, tmp_path / name)
    for file in ("hashes.parquet", "thumbs.npy"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    rows = read_rows(tmp_path / "a/hashes.parquet")
    assert [row["frame"] for row in rows] == sorted(path.name for path in frames.glob("*.jpg"))
    assert all(len(row["roles"]) == len(row["hashes"]) > 0 for row in rows)
    assert np.load(tmp_path / "a/thumbs.npy").shape == (3, THUMB_PX, THUMB_PX)


def test_what_was_written_is_read_by_deduplicate(tmp_path: Path) -> None:
    source = VideoFiles(filtered(tmp_path / "filtered") / "filter.parquet", tmp_path / "hashes")
    hash_frames(source.filtered.parent, "phash", source.hashes)
    frames, hashes = load_passed({"v": source})
    assert frames["confidence"].tolist() == [0.75] * 3 and len(hashes.codes) == 3 * 6
    (first, *_) = read_appearances(source).values()
    assert first.boxes.round(4).tolist() == [[0.1, 0.1, 0.2, 0.2]] and first.content == (0, 0, 1, 1)


def test_hashes_of_other_frames_are_noticed(tmp_path: Path) -> None:
    source = VideoFiles(filtered(tmp_path / "filtered") / "filter.parquet", tmp_path / "hashes")
    hash_frames(filtered(tmp_path / "other", 2), "phash", source.hashes)
    with pytest.raises(ValueError, match="is not of the frames in"):
        load_passed({"v": source})


def test_a_video_without_frames_has_an_empty_table(tmp_path: Path) -> None:
    hash_frames(filtered(tmp_path / "none", 0), "phash", tmp_path / "hashes")
    assert read_rows(tmp_path / "hashes/hashes.parquet") == []
    frames, hashes = load_passed({"v": VideoFiles(tmp_path / "none/filter.parquet", tmp_path / "hashes")})
    assert len(frames) == len(hashes.codes) == 0
