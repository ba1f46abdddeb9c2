"""What belongs to a video is what the rules say, and nothing else is deleted."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.download.retries import retry_numbers, write_retry_numbers
from scripts.inputs.rows import check_removed, rows_of
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


def test_all_of_a_video_goes_and_nothing_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    take_down(["a.b", "a_b", "b"], [], PATTERNS, 0.2)
    left = {form.format(video) for form in FILES for video in ("a.b", "a_b", "b")}
    assert files() == left | set(SHARED)
    assert "taken down: a (no longer in the table): 5 files deleted" in capsys.readouterr().err


def test_nothing_goes_if_every_video_is_listed() -> None:
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


def test_what_was_made_without_the_video_stays() -> None:
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


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
def test_one_may_always_go_and_more_only_up_to_the_share(removed: int, rest: int, share: float) -> None:
    def go() -> None:
        check_removed({f"v{i}" for i in range(removed)}, removed + rest, share)

    if removed <= 1 or removed <= share * (removed + rest):
        go()
    else:
        with pytest.raises(UserError):
            go()


def test_numbers_of_retries_forget_who_is_gone(tmp_path: Path) -> None:
    write_retry_numbers(tmp_path, {"a": 2, "b": 1})
    assert retry_numbers(tmp_path, ["b"], ()) == {"b": 1}
    write_retry_numbers(tmp_path, {})
    assert not (tmp_path / "retries.json").exists()


def test_an_unknown_id_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "t.tsv").write_text("video\turl\nnight_1\tclip.mp4\n")
    config = {"videos": "t.tsv", "sources": [], "exclude": ["night"], "rehydrate": "", "rehydrate_media": ""}
    with pytest.raises(UserError, match="exclude: 'night' is not in t.tsv; allowed: .*night_1"):
        rows_of(config)
    assert rows_of(config | {"exclude": ["night_1"]}) == {}
    assert rows_of(config | {"videos": "none.tsv", "sources": ["https://a.example"]}) == {}
