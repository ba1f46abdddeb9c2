"""Locks between processes."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Hold an entry against other jobs and runs that share the store."""
    entry.mkdir(parents=True, exist_ok=True)
    with (entry / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logging.info("another job is at work on %s; waiting for it", entry)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
