"""Copies are found, the best frame of a group stays, and the result depends only on the frames."""

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.schemas import FILTER
from scripts.core.tables import read_rows, write_table
from scripts.dedup.deduplicate import Rules, deduplicate, files_by_video, scores
from scripts.dedup.features import VideoFiles
from scripts.dedup.vector_space import in_steps
from tests._gathered import gather_frames
from tests._hashed import rules, write_hashes
from tests._places import REPO

# Few distinct bits, so that hashes lie close together and chains form.
VALUES = st.lists(st.integers(0, 2**10 - 1), max_size=60)


def table(folder: Path, video: str, hashes: Sequence[int], passed: bool = True, **changes: Any) -> VideoFiles:
    rows: list[dict[str, Any]] = [
        {
            "video": video, "frame": f"{i:09d}.jpg", "pts_s": float(i), "width": 640, "height": 360, "sharpness": 1.0,
            "brightness": 1.0, "entropy_bits": 1.0, "phash": f"{h:016x}", "keep": True, "passed": passed, "reason": "",
            "background": False, "boxes_xyxy_px": [], "classes": [], "confidences": [],
        } | changes
        for i, h in enumerate(hashes)
    ]  # fmt: skip
    write_table(folder / f"{video}.parquet", rows, FILTER)
    named = {row["frame"]: [("content", value)] for row, value in zip(rows, hashes, strict=True) if row["passed"]}
    return VideoFiles(folder / f"{video}.parquet", write_hashes(folder / "hashes" / video, named))


def run(
    folder: Path, tables: dict[str, VideoFiles], by: Rules | None = None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    halves = (dict(list(tables.items())[::2]), dict(list(tables.items())[1::2]))
    shards = [gather_frames(folder / f"shard{number}", half) for number, half in enumerate(halves)]
    out = (folder / "copies.parquet", folder / "kept.json", folder / "distances.json")
    deduplicate(tables, shards, by or rules(4), *out)
    rows = {f"{row['video']}/{row['frame']}": row for row in read_rows(folder / "copies.parquet")}
    return json.loads((folder / "kept.json").read_text()), rows


def test_the_larger_frame_stays_in_any_order_of_the_table(tmp_path: Path) -> None:
    small = table(tmp_path, "small", [0, 2**60 - 1], width=320)
    large = table(tmp_path, "large", [1, 0xFFFF << 30], width=1280)
    for tables in ({"small": small, "large": large}, {"large": large, "small": small}):
        kept, rows = run(tmp_path, tables)
        assert kept["large"]["frames"] == ["000000000.jpg", "000000001.jpg"]
        assert kept["small"]["frames"] == ["000000001.jpg"]
        dropped = rows["small/000000000.jpg"]
        assert not dropped["keep"] and dropped["representative"] == "large/000000000.jpg"
        assert (dropped["distance_bits"], dropped["role"]) == (1, "content")
        assert dropped["group"] == rows["large/000000000.jpg"]["group"]
        assert len(rows) == 4


def test_prefer_first_keeps_the_first_frame(tmp_path: Path) -> None:
    small, large = table(tmp_path, "small", [0], width=320), table(tmp_path, "large", [1], width=1280)
    kept, _ = run(tmp_path, {"small": small, "large": large}, rules(4, prefer="first"))
    assert (kept["small"]["frames"], kept["large"]["frames"]) == (["000000000.jpg"], [])


def test_a_background_never_replaces_a_frame_with_objects(tmp_path: Path) -> None:
    road, car = table(tmp_path, "road", [0], width=1280, background=True), table(tmp_path, "car", [1])
    for prefer in ("best", "first"):
        kept, _ = run(tmp_path, {"road": road, "car": car}, rules(4, prefer=prefer))
        assert (kept["road"]["frames"], kept["car"]["frames"]) == ([], ["000000000.jpg"])


def test_scores_are_weighted_sums_in_steps() -> None:
    frame = {"width": 512, "height": 512, "sharpness": 3.0, "confidence": 0.5, "left": 0, "top": 0, "right": 1}
    frames = pd.DataFrame([frame | {"bottom": 1}, frame | {"bottom": 0.5}, frame | {"bottom": 1, "sharpness": 7.0}])
    weights = {"resolution": 1, "sharpness": 0.5, "confidence": 2}
    found = scores(frames, weights)
    assert float(found[0]) == 18 + 1 + 1
    assert float(found[0] - found[1]) == 1, "bars are no pixels"
    assert float(found[2] - found[0]) == 0.5
    assert (scores(frames.assign(confidence=0.52, sharpness=3.1)[:2], weights) == found[:2]).all(), "less than a step"


def test_a_digest_changes_only_with_the_kept_frames_of_its_video(tmp_path: Path) -> None:
    tables = {"a": table(tmp_path, "a", [0, 2**40 - 1]), "b": table(tmp_path, "b", [2**20 - 1])}
    before, _ = run(tmp_path, tables)
    added, _ = run(tmp_path, tables | {"c": table(tmp_path, "c", [0, 0xFF << 56])})
    assert {v: added[v] for v in "ab"} == before and added["c"]["frames"] == ["000000001.jpg"]
    changed, _ = run(tmp_path, tables | {"b": table(tmp_path, "b", [2**20 - 2])})
    assert changed["a"] == before["a"] and changed["b"]["digest"] != before["b"]["digest"]


def test_an_unreadable_frame_of_another_video_changes_no_digest(tmp_path: Path) -> None:
    sound, torn = table(tmp_path, "sound", [0]), table(tmp_path, "torn", [2**40 - 1])
    before, _ = run(tmp_path, {"sound": sound})
    unmeasured = {"video": "torn", "frame": "000000009.jpg", "keep": False, "passed": False, "reason": "unreadable"}
    write_table(torn.filtered, [*read_rows(torn.filtered), unmeasured], FILTER)
    after, _ = run(tmp_path, {"sound": sound, "torn": torn})
    assert after["sound"] == before["sound"] and after["torn"]["frames"] == ["000000000.jpg"]


@pytest.mark.public_report(
    "visual-layer/fastdup 355", saw="fewer than 10 images end with an error",
    here="two frames are compared, and a video may have none",
)  # fmt: skip
def test_few_frames_are_compared_without_a_compiler(tmp_path: Path) -> None:
    sources = {"a": table(tmp_path, "a", [0, 1]), "broken": table(tmp_path, "broken", [])}
    code = """
import pickle, sys
from pathlib import Path
from scripts.dedup.deduplicate import deduplicate
sources, shards, rules, folder = pickle.load(sys.stdin.buffer)
deduplicate(sources, shards, rules, folder / "copies.parquet", folder / "kept.json", folder / "distances.json")
print(*{"numba"} & set(sys.modules))
"""
    given = pickle.dumps(
        (sources, [gather_frames(tmp_path / "shard", sources)], rules(4, compare_objects=True), tmp_path)
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, input=given, capture_output=True, check=True, cwd=REPO).stdout.strip() == b""


def with_vectors(folder: Path, source: VideoFiles, contents: Sequence[int], mirrors: Sequence[int]) -> VideoFiles:
    """Give the frames of a video vectors along these axes, and others to their mirror images."""
    axes = np.eye(4)
    file = source.hashes.with_suffix(".npy")
    np.save(file, in_steps(np.stack([axes[list(contents)], axes[list(mirrors)]], axis=1)))
    return VideoFiles(source.filtered, source.hashes, file)


def test_vectors_decide_if_there_are_any_and_the_table_keeps_the_hashes(tmp_path: Path) -> None:
    a = with_vectors(tmp_path, table(tmp_path, "a", [5, 6], width=1280), [0, 1], [2, 2])
    b = with_vectors(tmp_path, table(tmp_path, "b", [5, 2**40 - 1]), [3, 1], [0, 2])
    for mirrored, role in ((False, ""), (True, "mirror")):
        kept, rows = run(tmp_path, {"a": a, "b": b}, rules(4, match_mirrored=mirrored))
        assert kept["a"]["frames"] == ["000000000.jpg", "000000001.jpg"]
        assert rows["b/000000001.jpg"]["representative"] == "a/000000001.jpg", "whose hash is another"
        assert (rows["b/000000000.jpg"]["keep"], rows["b/000000000.jpg"]["role"]) == (not mirrored, role)
        assert [rows[f"b/00000000{i}.jpg"]["hash"] for i in (0, 1)] == [f"{value:016x}" for value in (5, 2**40 - 1)]


def test_videos_without_passed_frames_have_empty_lists(tmp_path: Path) -> None:
    kept, rows = run(
        tmp_path, {"none": table(tmp_path, "none", []), "failed": table(tmp_path, "failed", [1], passed=False)}
    )
    assert {v: k["frames"] for v, k in kept.items()} == {"none": [], "failed": []}
    assert rows == {}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    tables = {"a": table(tmp_path, "a", [0, 1, 2**40 - 1]), "b": table(tmp_path, "b", [2])}
    run(tmp_path, tables)
    first = [(tmp_path / name).read_bytes() for name in ("copies.parquet", "kept.json")]
    run(tmp_path, tables)
    assert first == [(tmp_path / name).read_bytes() for name in ("copies.parquet", "kept.json")]


@settings(max_examples=25, deadline=None)  # files are written
@given(st.lists(VALUES.filter(len), min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_table_does_not_matter_where_scores_differ(
    tmp_path_factory: Any, videos: list[list[int]], random: Any
) -> None:
    folder = tmp_path_factory.mktemp("order")
    tables = {f"v{i}": table(folder, f"v{i}", values, width=320 * 2**i) for i, values in enumerate(videos)}
    first, _ = run(folder, tables)
    shuffled = list(tables)
    random.shuffle(shuffled)
    assert run(folder, {video: tables[video] for video in shuffled})[0] == first


def test_files_go_to_their_video_with_and_without_vectors() -> None:
    files = (Path("r/filtered/b/filter.parquet"), Path("r/hashes/b"))
    assert files_by_video(Path("r"), ["a", "b"], "")["b"] == VideoFiles(*files, None)
    found = files_by_video(Path("r"), ["a", "b"], "r/vectors/{video}.npy")
    assert found["b"] == VideoFiles(*files, Path("r/vectors/b.npy"))
