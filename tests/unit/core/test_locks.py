"""Locks hold between processes, and end with them."""

import errno
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.core.locks import hold, hold_folder, try_lock
from tests.conftest import REPO

HOLD = """
import sys, time
from pathlib import Path
from scripts.core.locks import hold
with hold(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Return another process that has locked `tmp_path/lock`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "locked\n"
    return process


def test_a_lock_is_free_again_when_its_process_is_killed(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert try_lock(tmp_path / "lock") is None
    holder.kill()
    holder.communicate()
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    lock.release()


def test_a_job_that_waits_for_a_folder_logs_it_once(
    tmp_path: Path, holder: subprocess.Popen[str], caplog: pytest.LogCaptureFixture
) -> None:
    threading.Timer(0.3, holder.kill).start()
    with caplog.at_level(logging.INFO), hold_folder(tmp_path):
        assert try_lock(tmp_path / "lock") is None
    holder.communicate()
    assert caplog.messages == [f"waiting for another job that uses {tmp_path}"]


def test_a_free_lock_is_taken_without_waiting(tmp_path: Path) -> None:
    waits: list[bool] = []
    with hold(tmp_path / "lock", lambda: waits.append(True)):
        assert try_lock(tmp_path / "lock") is None
    assert not waits


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(file: object, how: int) -> None:
        raise OSError(number, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        try_lock(tmp_path / "lock")


@pytest.mark.public_report(
    "tox-dev/filelock 461",
    saw="a lock file is opened through a symbolic link and cut to nothing (CVE-2025-68146)",
    here="a link in the place of a lock or of its folder is refused by name; the file that it leads to keeps its bytes",
)
def test_a_lock_does_not_follow_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, store = tmp_path / "victim", tmp_path / "store"
    victim.mkdir()
    (victim / "file").write_text("mine")
    store.mkdir()
    (store / "lock").symlink_to(victim / "file")
    for act in (try_lock, lambda path: hold_folder(path.parent).__enter__()):
        with pytest.raises(UserError, match="lock is a symbolic link"):
            act(store / "lock")
    (store / "entry").symlink_to(victim)
    with pytest.raises(UserError, match="entry is a symbolic link"), hold_folder(store / "entry"):
        pass
    monkeypatch.setattr("scripts.core.locks.refuse_link", lambda path: None)  # the link was made after the look
    with pytest.raises(OSError, match="symbolic links"):
        try_lock(store / "lock")
    assert (victim / "file").read_text() == "mine" and not (victim / "lock").exists()


def test_a_lock_keeps_what_its_file_holds(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("a file under another name, too")
    with hold(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").read_text() == "a file under another name, too"
