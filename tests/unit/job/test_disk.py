"""A full disk is recognised from any library's error."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.job.disk import full_disk_fault, full_disk_message, is_full


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError("64 requested and 0 written"), True),
        (RuntimeError("[Errno 28] No space left on device"), True),
        (RuntimeError("disk quota exceeded"), True),
        (OSError(errno.EACCES, "x"), False),
        (None, False),
    ],
)
def test_error_numbers_and_messages_of_full_disks(error: BaseException | None, full: bool) -> None:
    assert is_full(error) is full


def test_the_cause_of_an_error_counts_too() -> None:
    outer = ValueError("cannot save")
    outer.__context__ = OSError(errno.ENOSPC, "x")
    assert is_full(outer)
    explicit = ValueError("cannot save")
    explicit.__cause__ = outer
    assert is_full(explicit)


def test_messages_name_the_file_or_folder_and_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = full_disk_message(OSError(errno.ENOSPC, "x", "a.jpg"))
    assert message == "the disk is full (writing a.jpg): free some space, then run the same command again"
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=999_999))
    assert f"the disk of {tmp_path} is full (1000 kB are free): free some" in full_disk_fault(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    assert full_disk_fault(tmp_path) == ""
