"""Lock files between processes. The system frees a lock when its process ends, also when it is killed."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.shared_files import refuse_link

if TYPE_CHECKING:
    from filelock import FileLock

POLL_S = 0.02  # for locks that are held for moments
LONG_POLL_S = 0.5  # for those that are held for minutes, perhaps on a network file system


@contextmanager
def hold(path: Path, on_wait: Callable[[], None] | None = None, poll_s: float = POLL_S) -> Iterator[None]:
    """Hold the lock file `path` until the block ends; call `on_wait` once if another process holds it.

    Raise OSError where files cannot be locked, as on some network file systems.
    """
    lock = try_lock(path)
    if lock is None:
        if on_wait:
            on_wait()
        lock = _lock(path)
        lock.acquire(poll_interval=poll_s)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Create a folder and lock it against other jobs and runs. Log a message if this job has to wait."""
    refuse_link(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder / "lock", lambda: logging.info("waiting for another job that uses %s", folder), LONG_POLL_S):
        yield


def try_lock(path: Path) -> "FileLock | None":
    """Lock the file `path`, or return None if another process holds it. The caller releases the lock.

    Raise OSError where files cannot be locked, as on some network file systems.
    """
    from filelock import Timeout

    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def _lock(path: Path) -> "FileLock":
    from filelock import FileLock  # not at the top: it takes 40 ms, and many jobs lock nothing

    refuse_link(path)  # filelock fails at a link, without a message, and never cuts a file short
    # No soft lock where the system offers no locks: after a killed job it would stay locked.
    return FileLock(path, poll_interval=POLL_S, thread_local=False, fallback_to_soft=False)
