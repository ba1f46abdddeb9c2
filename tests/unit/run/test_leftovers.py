"""What a killed run leaves is told of and goes; what another one is using stays."""

from pathlib import Path

import pytest

from scripts.core.files import write_text
from scripts.run.leftovers import LOCKS, RUNS, begin_run, end_run, lock_message


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run folder that is locked, in which it is this process that runs."""
    monkeypatch.chdir(tmp_path)
    LOCKS.mkdir(parents=True)
    (LOCKS / "0.output.lock").touch()
    begin_run(Path("results"), Path("marks"))
    return tmp_path


def kill_run(host: str = "") -> None:
    """Turn the run at work into a killed one, of this machine or another."""
    [run] = RUNS.iterdir()
    here, _, owner = run.name.rpartition("_")
    run.rename(RUNS / f"{host or here}_{owner if host else '999999999.1'}")


def test_the_lock_of_a_killed_run_is_told_of_with_the_remedy(folder: Path) -> None:
    kill_run()
    told = lock_message()
    assert "process 999999999" in told and "killed" in told and "--unlock" in told


def test_no_lock_is_called_left_over_that_may_be_in_use(folder: Path) -> None:
    assert lock_message() == "", "the run is at work"
    kill_run("another-host")
    assert lock_message() == "", "nobody knows from here"


def test_without_a_lock_there_is_nothing_to_tell(folder: Path) -> None:
    (LOCKS / "0.output.lock").unlink()
    kill_run()
    assert lock_message() == ""


@pytest.mark.parametrize("killed", [True, False])
def test_only_what_killed_runs_left_unfinished_is_deleted(folder: Path, killed: bool) -> None:
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
    begin_run(Path("results"), Path("marks"))
    assert {name for name in (*left, *kept) if Path(name).exists()} == set(kept) | (set() if killed else set(left))
    end_run()
    assert not list(RUNS.iterdir())
