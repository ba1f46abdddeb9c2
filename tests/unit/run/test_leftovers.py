"""What a killed run leaves is told of and goes; what another one is using stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.files import clear_parts, delete_folder, unfinished, write_text
from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.run.leftovers import LOCKS, RUNS, begin_run, end_run, lock_message
from tests.conftest import REPO


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


def test_parts_of_one_file_go_and_those_of_others_stay(tmp_path: Path) -> None:
    names = {name: tmp_path / name for name in (".a.json.7.part", ".b.json.7.part", "a.json")}
    for path in names.values():
        path.touch()
    clear_parts(tmp_path / "a.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.json.7.part", "a.json"]


def test_a_folder_that_cannot_be_deleted_wholly_no_longer_passes_for_whole(tmp_path: Path) -> None:
    code = (
        "import os, shutil, sys; from pathlib import Path; from scripts.core.files import delete_folder;"
        "shutil.rmtree = lambda path: os._exit(9); delete_folder(Path(sys.argv[1]))"
    )
    (tmp_path / "night").mkdir()
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "night")], cwd=REPO, check=False).returncode == 9
    assert not (tmp_path / "night").exists()
    (tmp_path / "avenue").mkdir()
    delete_folder(tmp_path / "avenue")
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]


def test_what_a_killed_compilation_left_goes_with_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from scripts.core.files import unfinished\n"
        "with unfinished(Path(sys.argv[1])) as folder: os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=REPO, check=False)
    [left] = tmp_path.iterdir()
    with unfinished(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder] != [left]
    assert not list(tmp_path.iterdir())


JOB = """
import sys, time
from scripts.job.start import start_job
start_job(sys.argv[1])
print("begun", flush=True)
time.sleep(60)
"""


def test_a_job_ends_with_its_run(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run:
        environment = os.environ | {OWNER: owner_name(run.pid)}
        with subprocess.Popen(
            [sys.executable, "-c", JOB, str(tmp_path / "log")], cwd=REPO, env=environment, stdout=subprocess.PIPE
        ) as job:
            assert job.stdout and job.stdout.readline() == b"begun\n"
            run.kill()
            run.wait()
            assert job.wait(30) == 1
    assert "the run that started this job was killed" in (tmp_path / "log").read_text()


FULL = "import sys; from scripts.job.log import log_to; log_to(sys.argv[1]); open('/dev/full', 'w').write('x' * 99999)"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_named_with_the_job_and_the_remedy_and_without_a_traceback(tmp_path: Path) -> None:
    log = Path("logs/extract_frames/night.log")
    (tmp_path / log).parent.mkdir(parents=True)
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", FULL, str(log)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "extract_frames night: the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert "free some space" in done.stderr and "Traceback" in (tmp_path / log).read_text()
