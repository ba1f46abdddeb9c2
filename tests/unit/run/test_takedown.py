"""All paths of a video in the rules are deleted, and nothing else."""

import json
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.run.takedown import outputs_of_videos, take_down

PATTERNS = [
    "results/download/{video}/video.json", "results/download/{video}/media", "results/detections/{video}.parquet",
    "results/models/{model}", "results/dataset", "logs/download_video/{video}.log", "logs/compile_model/{model}.log",
]  # fmt: skip
FILES = [
    "results/download/{}/video.json", "results/download/{}/media/media.mp4", "results/detections/{}.parquet",
    "results/detections/.{}.parquet.123.part", "logs/download_video/{}.log",
]  # fmt: skip
SHARED = [
    "results/models/a/model.json", "results/retries.json", "logs/compile_model/a.log", "logs/deduplicate.log",
    "results/detections/.keep", "store/a/media.mp4",
]  # fmt: skip
TOGETHER = ["results/dataset/ledger.parquet", "results/report.html", "results/dedup/copies.parquet"]
VIDEOS = ("a", "a.b", "a_b", "b")


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*(form.format(video) for form in FILES for video in VIDEOS), *SHARED, *TOGETHER]:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    Path("results/dedup/kept.json").write_text(json.dumps(dict.fromkeys(VIDEOS)))


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def test_all_files_of_a_video_are_deleted_and_none_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    take_down(["a.b", "a_b", "b"], [], PATTERNS, 0.2)
    left = {form.format(video) for form in FILES for video in ("a.b", "a_b", "b")}
    assert files() == left | set(SHARED)
    assert "taken down: a (no longer in the table): 5 files deleted" in capsys.readouterr().err


def test_what_was_gathered_is_deleted_although_no_other_result_has_the_video() -> None:
    Path("results/dedup/kept.json").write_text(json.dumps(dict.fromkeys(["a.b", "a_b", "b"])))
    Path("results/gathered/videos/0of1").mkdir(parents=True)
    take_down(["a.b", "a_b", "b"], [], PATTERNS, 0.5)
    assert not Path("results/gathered").exists() and Path(TOGETHER[0]).exists()


def test_nothing_is_deleted_if_every_video_is_listed() -> None:
    before = files()
    take_down(VIDEOS, [], PATTERNS, 0.2)
    take_down([], [], PATTERNS, 0.2)  # a table that expand_sources is about to fill
    assert files() == before


def test_a_wrong_table_deletes_nothing_and_exclusions_are_not_counted() -> None:
    before = files()
    with pytest.raises(UserError, match=r"3 of 4 videos.*\(a, a.b, a_b\).*right table.*max_removed_share=1.*exclude"):
        take_down(["b", "new"], [], PATTERNS, 0.2)
    assert files() == before
    take_down(["b"], ["a", "a.b"], PATTERNS, 0.2)
    assert set(outputs_of_videos(PATTERNS)) == {"b"}


def test_combined_outputs_without_the_video_stay() -> None:
    Path("results/dedup/kept.json").write_text(json.dumps({"b": None}))
    take_down(["a.b", "a_b", "b"], [], PATTERNS, 0.2)
    assert set(TOGETHER) <= files() and not Path("results/download/a").exists()


def test_links_are_deleted_and_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "clip.mp4").write_text("mine")
    Path("results/download/a/media/media.mp4").unlink()
    Path("results/download/a/media/media.mp4").symlink_to(mine / "clip.mp4")
    Path("results/download/c").symlink_to(mine)
    take_down(["a.b", "a_b", "b"], ["a", "c"], PATTERNS, 0.2)
    assert (mine / "clip.mp4").read_text() == "mine"
    assert not Path("results/download/c").is_symlink() and not Path("results/download/a").exists()
