"""Leftovers of killed runs are reported and deleted; files of running ones stay."""

from pathlib import Path

import pytest

from scripts.core.files import write_text
from scripts.run.leftovers import LOCKS, RUNS, end_run, lock_message, register_run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a locked run folder, whose run is this process."""
    monkeypatch.chdir(tmp_path)
    LOCKS.mkdir(parents=True)
    (LOCKS / "0.output.lock").touch()
    register_run(Path("results"), Path("marks"))
    return tmp_path


def kill_run(host: str = "") -> None:
    """Turn the registered run into one whose process is not on this machine."""
    [run] = RUNS.iterdir()
    here, _, _ = run.name.rpartition("_")
    run.rename(RUNS / f"{host or here}_999999999.1")


def test_the_lock_of_a_killed_run_is_reported_with_the_remedy(folder: Path) -> None:
    kill_run()
    message = lock_message()
    assert "process 999999999" in message and "killed" in message and "--unlock" in message


def test_the_lock_of_a_run_that_may_be_running_is_not_reported(folder: Path) -> None:
    assert lock_message() == "", "the run is running"
    kill_run("another-host")
    assert lock_message() == "", "a run of another machine may be running"


def test_without_a_lock_there_is_no_message(folder: Path) -> None:
    (LOCKS / "0.output.lock").unlink()
    kill_run()
    assert lock_message() == ""


@pytest.mark.parametrize("killed", [True, False])
def test_only_unfinished_files_of_killed_runs_are_deleted(folder: Path, killed: bool) -> None:
    left = [
        "results/detections/.night.parquet.77.part",
        "results/download/night/.video.json.77.part",
        "results/.report.html.77.part",
        ".snakemake/scripts/tmpx.report.py",
        "results/frames/.night.77.part/1.jpg",
    ]
    kept = ["results/detections/night.parquet", "results/dataset/.odd.part", "results/download/night/media/a.7.part"]
    for name in (*left, *kept):
        write_text(Path(name), "x")
    if killed:
        kill_run()
    register_run(Path("results"), Path("marks"))
    assert {name for name in (*left, *kept) if Path(name).exists()} == set(kept) | (set() if killed else set(left))
    end_run()
    assert not list(RUNS.iterdir())
