"""Recognise a full disk by the error number or message of any library."""

import errno
import re
import shutil
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Messages of libraries that drop the error number. The second is numpy's.
WORDS = re.compile(r"No space left on device|\d+ requested and \d+ written|[Qq]uota exceeded")
LEAST_BYTES = 1_000_000  # for Snakemake's own files
REMEDY = "free some space, then run the same command again"


def is_full(error: BaseException | None) -> bool:
    """Return whether an error or one of its causes is a full disk."""
    while error is not None:
        if getattr(error, "errno", None) in FULL or WORDS.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk_message(error: BaseException) -> str:
    """Return a message that the disk is full, with the file if it is known, and the remedy."""
    place = getattr(error, "filename", None)
    return f"the disk is full{f' (writing {place})' if place else ''}: {REMEDY}"


def full_disk_fault(folder: Path) -> str:
    """Return a message if a folder's disk is too full to begin a run; empty if it is not."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes >= LEAST_BYTES:
        return ""
    return f"the disk of {folder} is full ({free_bytes / 1000:.0f} kB are free): {REMEDY}"
