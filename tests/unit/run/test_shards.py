"""Which videos are gathered together, and that missing outputs are made again although they were gathered before."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.run.shards import (
    MOST_VIDEOS,
    all_shards_in,
    delete_old_shards,
    detections_to_gather,
    divide,
    make_missing_again,
    outputs_to_gather,
)

IDS = st.sets(st.text("abcXYZ019._-", min_size=1, max_size=8), max_size=60)


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def workflow() -> Any:
    """Return the part of a workflow that holds which outputs to make again."""
    return SimpleNamespace(dag=SimpleNamespace(forcefiles=set()))


def many(count: int) -> list[str]:
    return [f"v{number}" for number in range(count)]


@given(IDS)
def test_each_video_is_in_one_shard_in_any_order_of_the_table(videos: set[str]) -> None:
    shards = divide(videos)
    assert sorted(video for of_shard in shards.values() for video in of_shard) == sorted(videos)
    assert shards == divide(sorted(videos, reverse=True))


def test_a_small_table_is_one_shard_and_a_large_one_many_of_like_size() -> None:
    assert divide([]) == {} and list(divide(many(MOST_VIDEOS))) == ["0of1"]
    sizes = [len(videos) for videos in divide(many(10_000)).values()]
    assert len(sizes) == 128 and min(sizes) > 40 and max(sizes) < 2 * MOST_VIDEOS


def test_an_added_video_joins_one_shard_and_only_doubled_tables_get_others() -> None:
    before, after = divide(many(1000)), divide(many(1001))
    assert sum(after[shard] != videos for shard, videos in before.items()) == 1
    assert list(divide(many(801))) == list(divide(many(1600))) != list(divide(many(1601)))


def test_an_empty_table_ends_the_run() -> None:
    config = {"rehydrate": "", "videos": "config/videos.tsv", "exclude": []}
    assert all_shards_in(divide(["a"]), config, {}) == ["results/gathered/videos/0of1"]
    with pytest.raises(SystemExit, match="no videos in"):
        all_shards_in({}, config, {})


def test_missing_outputs_are_made_again_if_they_were_gathered(workflow: Any) -> None:
    shards, wildcards = {"0of1": ["a", "b"]}, {"shard": "0of1"}
    there = ["results/download/a/video.json", "results/filtered/a", "results/hashes/a", "results/vectors/a.npy"]
    for name in there:
        Path(name).mkdir(parents=True)
    found = outputs_to_gather(workflow, shards, "results/vectors/{video}.npy", wildcards)
    assert sorted(found) == sorted([*there, *(name.replace("/a", "/b") for name in there)])
    assert "results/vectors/a.npy" not in outputs_to_gather(workflow, shards, "", wildcards)
    assert not workflow.dag.forcefiles, "nothing was gathered: Snakemake sees itself what is missing"
    Path("results/gathered/videos/0of1").mkdir(parents=True)
    outputs_to_gather(workflow, shards, "", wildcards)
    assert workflow.dag.forcefiles == {name.replace("/a", "/b") for name in there[:3]}
    Path("results/gathered/detections/0of1").mkdir(parents=True)
    assert detections_to_gather(workflow, shards, wildcards) == [f"results/detections/{v}.parquet" for v in "ab"]
    assert "results/detections/a.parquet" in workflow.dag.forcefiles


@pytest.mark.parametrize("kept", [True, False])
def test_media_and_raw_frames_are_made_again_if_they_are_to_be_kept(workflow: Any, kept: bool) -> None:
    for name in ("download/a/video.json", "filtered/a", "download/b/media", "filtered/b", "frames/b"):
        Path("results", name).mkdir(parents=True)
    config = {"keep_media": kept, "cleanup_raw_frames": not kept}
    assert make_missing_again(workflow, Path("results"), ["a", "b", "new"], config) == []
    assert workflow.dag.forcefiles == ({"results/download/a/media", "results/frames/a"} if kept else set())


def test_what_was_gathered_in_other_shards_is_deleted() -> None:
    for name in ("videos/0of1", "videos/0of2", "detections/0of1"):
        Path("results/gathered", name).mkdir(parents=True)
    delete_old_shards(Path("results"), ["0of2", "1of2"])
    assert [path.name for path in Path("results/gathered").rglob("*of*")] == ["0of2"]
