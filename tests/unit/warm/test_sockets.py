"""Sockets are in a folder of this user, and those of killed runs are deleted."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.job.process import owner_name
from scripts.warm.sockets import LONGEST_NAME, LONGEST_PATH, clear_sockets, next_of, private_folder, this_host


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a folder with a shorter path than tmp_path."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_only_this_user_can_enter_the_folder_of_sockets(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(short))
    folder = short / f"reelsieve-{os.getuid()}"
    assert private_folder() == folder and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o750)
    assert private_folder() == Path("/tmp") / folder.name, "a folder that others can enter is not used"


def test_a_folder_with_a_long_path_is_not_used(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = short / ("long" * 10)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr("tempfile.tempdir", str(short))
    assert private_folder().parent == short
    assert len(f"{private_folder()}/") + LONGEST_NAME <= LONGEST_PATH


def test_sockets_of_killed_runs_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    digest = "0123456789abcdef"
    living = f"{this_host()}-{owner_name(os.getpid()).replace('.', '_')}-{digest}"
    dead, of_another_host = f"{this_host()}-999999999_1-{digest}", f"00000000-999999999_1-{digest}"
    there = {living, next_of(Path(living)).name, of_another_host, "start1.lock"}
    for name in there | {dead, next_of(Path(dead)).name}:
        (tmp_path / name).touch()
    clear_sockets(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == there


def test_detectors_of_one_run_decode_ahead_for_jobs_of_their_own() -> None:
    owner = owner_name(os.getpid()).replace(".", "_")
    files = {next_of(Path(f"{this_host()}-{owner}-{number:016x}")) for number in range(2)}
    assert len(files) == 2
