"""Sockets are in a folder of this user, and those of killed runs are deleted."""

import os
from pathlib import Path

import pytest

from scripts.job.process import owner_name
from scripts.warm.sockets import clear_sockets, private_folder, this_host, turn_of


def test_only_this_user_can_enter_the_folder_of_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    name = f"reelsieve-{os.getuid()}"
    usual = private_folder()
    assert usual.stat().st_mode & 0o777 == 0o700
    (tmp_path / name).rmdir() if (tmp_path / name).is_dir() else None
    (tmp_path / name).mkdir(mode=0o777)
    (tmp_path / name).chmod(0o777)
    assert private_folder() == Path("/tmp") / name, "a folder that others can enter is not taken"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
    assert private_folder() == Path("/tmp") / name


def test_sockets_of_killed_runs_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    digest = "0123456789abcdef"
    living = f"{this_host()}-{owner_name(os.getpid()).replace('.', '_')}-{digest}"
    dead, of_another_host = f"{this_host()}-999999999_1-{digest}", f"00000000-999999999_1-{digest}"
    there = {living, turn_of(Path(living)).name, of_another_host, "start1.lock"}
    for name in there | {dead, turn_of(Path(dead)).name}:
        (tmp_path / name).touch()
    clear_sockets(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == there


def test_detectors_of_one_run_have_turns_of_their_own() -> None:
    owner = owner_name(os.getpid()).replace(".", "_")
    turns = {turn_of(Path(f"{this_host()}-{owner}-{number:016x}")) for number in range(2)}
    assert len(turns) == 2
