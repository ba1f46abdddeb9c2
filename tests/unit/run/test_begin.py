"""Steps before the first job of a run."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.store_users import read_used_entries
from scripts.inputs.videos import Video
from scripts.run.begin import check_lock_and_disk, start_run, stop_run
from scripts.run.leftovers import LOCKS, RUNS, register_run
from tests.conftest import DOWNLOAD

VIDEOS = {"a": Video("a", "a.mp4", 0.0, None, "")}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    Path("a.mp4").touch()
    Path("videos.tsv").write_text("video\turl\na\ta.mp4\n")
    return {
        "videos": "videos.tsv", "store": "store", "exclude": [], "sources": [], "max_removed_share": 0.2,
        "rehydrate": "", "rehydrate_media": "", "download": DOWNLOAD,
    }  # fmt: skip


def test_a_run_registers_itself_and_deletes_videos_that_left_the_table(config: dict[str, Any]) -> None:
    for path in ("results/frames/a", "results/frames/b"):
        Path(path).mkdir(parents=True)
    Path("videos.tsv").write_text("video\turl\na\ta.mp4\nc\thttps://a.example/c\n")
    start_run(VIDEOS, config, ["results/frames/{video}"], ["all"])
    assert len(read_used_entries(Path("store"), Path())) == 1, "a local file needs no store"
    assert len(list(RUNS.iterdir())) == 1
    assert [path.name for path in Path("results/frames").iterdir()] == ["a"]


def test_the_earlier_name_of_the_table_of_copies_is_removed(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    old = Path("results/dedup/manifest.parquet")
    old.parent.mkdir(parents=True)
    old.touch()
    start_run(VIDEOS, config, [], ["all"])
    assert not old.exists() and "this table is called copies.parquet now" in capsys.readouterr().err


def test_a_rehydration_keeps_published_videos_without_their_file(config: dict[str, Any]) -> None:
    Path("published").mkdir()
    Path("published/videos.tsv").write_text("video\turl\na\ta.mp4\nb\tb.mp4\n")
    Path("published/manifest.parquet").touch()
    for video in ("a", "b", "c"):
        Path(f"results/retaken/{video}").mkdir(parents=True)
    rehydration = config | {"rehydrate": "published", "max_removed_share": 1}
    with pytest.raises(UserError, match="only with the target rehydrate"):
        start_run(VIDEOS, rehydration, [], ["all"])
    row = "\t480\t640\t2\n"
    header = "video\turl\tmax_height_px\tmax_side_px\tjpeg_qscale\n"
    Path("published/videos.tsv").write_text(f"{header}a\ta.mp4{row}b\tb.mp4{row}")
    start_run(VIDEOS, rehydration, ["results/retaken/{video}"], ["rehydrate"])
    assert {path.name for path in Path("results/retaken").iterdir()} == {"a", "b"}


def test_a_left_lock_and_a_full_disk_are_reported(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register_run(Path("results"), Path("marks"))
    (run,) = RUNS.iterdir()
    run.rename(RUNS / f"{run.name.rpartition('_')[0]}_999999999.1")
    LOCKS.mkdir()
    (LOCKS / "0.output.lock").touch()
    check_lock_and_disk()
    assert "--unlock" in capsys.readouterr().err
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(UserError, match="is full"):
        check_lock_and_disk()


def test_a_refused_run_ends_with_the_reason() -> None:
    with pytest.raises(SystemExit, match="reelsieve: no videos"):
        stop_run("no videos")
