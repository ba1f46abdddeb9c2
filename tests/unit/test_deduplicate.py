"""Copies are found, groups are stars, and the outcome depends on nothing but the frames."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scripts._tables import FILTER, read_rows, write_table
from scripts.deduplicate import deduplicate, group_hashes

# Few distinct bits, so that hashes lie close together and chains form.
HASHES = st.lists(st.integers(0, 2**10 - 1), max_size=60)


def bits(a: int, b: int) -> int:
    return (a ^ b).bit_count()


@given(HASHES, st.integers(0, 4))
def test_groups_are_stars(values: list[int], limit: int) -> None:
    star, distance = group_hashes(np.array(values, np.uint64), limit)
    kept = [i for i in range(len(values)) if star[i] == i]
    for i, value in enumerate(values):
        assert star[i] in kept and star[i] <= i
        assert distance[i] == bits(value, values[star[i]]) <= limit
        nearest = min(bits(value, values[k]) for k in kept if k <= i)
        assert distance[i] == nearest
    for a in kept:
        assert all(bits(values[a], values[b]) > limit for b in kept if b != a)
    again, _ = group_hashes(np.array([values[k] for k in kept], np.uint64), limit)
    assert list(again) == list(range(len(kept)))


@given(HASHES, st.integers(0, 4), st.integers(0, 2**10 - 1))
def test_a_frame_that_comes_last_changes_no_other_verdict(values: list[int], limit: int, extra: int) -> None:
    before, _ = group_hashes(np.array(values, np.uint64), limit)
    after, _ = group_hashes(np.array([*values, extra], np.uint64), limit)
    assert list(after[:-1]) == list(before)


def table(folder: Path, video: str, hashes: list[int], width: int = 640, passed: bool = True, **more: Any) -> Path:
    rows: list[dict[str, Any]] = [
        {
            "video": video, "frame": f"{i:09d}.jpg", "pts_s": float(i), "width": width, "height": 360, "sharpness": 1.0,
            "brightness": 1.0, "entropy_bits": 1.0, "phash": f"{h:016x}", "keep": True, "passed": passed, "reason": "",
            **more,
        }
        for i, h in enumerate(hashes)
    ]  # fmt: skip
    write_table(folder / f"{video}.parquet", rows, FILTER)
    return folder / f"{video}.parquet"


def run(folder: Path, tables: dict[str, Path], limit: int = 4) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    deduplicate(tables, folder / "manifest.parquet", folder / "kept.json", limit)
    rows = {f"{row['video']}/{row['frame']}": row for row in read_rows(folder / "manifest.parquet")}
    return json.loads((folder / "kept.json").read_text()), rows


def test_the_larger_picture_of_a_pair_stays_whatever_the_order_of_the_table(tmp_path: Path) -> None:
    small, large = table(tmp_path, "small", [0, 2**60 - 1], 320), table(tmp_path, "large", [1, 0xFFFF << 30], 1280)
    for tables in ({"small": small, "large": large}, {"large": large, "small": small}):
        kept, rows = run(tmp_path, tables)
        assert kept["large"]["frames"] == ["000000000.jpg", "000000001.jpg"]
        assert kept["small"]["frames"] == ["000000001.jpg"]
        dropped = rows["small/000000000.jpg"]
        assert (dropped["keep"], dropped["representative"], dropped["distance_bits"]) == (
            False,
            "large/000000000.jpg",
            1,
        )
        assert dropped["group"] == rows["large/000000000.jpg"]["group"]
        assert len(rows) == 4


def test_a_digest_changes_only_with_the_kept_frames_of_its_video(tmp_path: Path) -> None:
    tables = {"a": table(tmp_path, "a", [0, 2**40 - 1]), "b": table(tmp_path, "b", [2**20 - 1])}
    before, _ = run(tmp_path, tables)
    added, _ = run(tmp_path, tables | {"c": table(tmp_path, "c", [0, 0xFF << 56])})
    assert {v: added[v] for v in "ab"} == before and added["c"]["frames"] == ["000000001.jpg"]
    changed, _ = run(tmp_path, tables | {"b": table(tmp_path, "b", [2**20 - 2])})
    assert changed["a"] == before["a"] and changed["b"]["digest"] != before["b"]["digest"]


def test_videos_without_frames_are_listed_with_none(tmp_path: Path) -> None:
    kept, rows = run(
        tmp_path, {"none": table(tmp_path, "none", []), "failed": table(tmp_path, "failed", [1], passed=False)}
    )
    assert {v: k["frames"] for v, k in kept.items()} == {"none": [], "failed": []}
    assert rows == {}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    tables = {"a": table(tmp_path, "a", [0, 1, 2**40 - 1]), "b": table(tmp_path, "b", [2])}
    run(tmp_path, tables)
    first = [(tmp_path / name).read_bytes() for name in ("manifest.parquet", "kept.json")]
    run(tmp_path, tables)
    assert first == [(tmp_path / name).read_bytes() for name in ("manifest.parquet", "kept.json")]


def test_a_background_is_never_kept_in_the_place_of_a_picture_with_objects(tmp_path: Path) -> None:
    tables = {
        "road": table(tmp_path, "road", [0b1, 0b111111111], 1280, background=True),
        "car": table(tmp_path, "car", [0b0], 640, background=False),
    }
    kept, rows = run(tmp_path, tables)
    assert kept["car"]["frames"] == ["000000000.jpg"] and kept["road"]["frames"] == ["000000001.jpg"]
    assert rows["road/000000000.jpg"]["representative"] == "car/000000000.jpg"
