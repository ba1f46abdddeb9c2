"""Know a full disk by whatever words a library has for it, and say what to do."""

import errno
import re
import shutil
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Said by libraries that lose the number of the error; the second is numpy's.
WORDS = re.compile(r"No space left on device|\d+ requested and \d+ written|[Qq]uota exceeded")
LEAST_BYTES = 1_000_000  # for Snakemake's own notes
REMEDY = "free some space, then run the same command again"


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or what it came of, is a full disk."""
    while error is not None:
        if getattr(error, "errno", None) in FULL or WORDS.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk_message(error: BaseException) -> str:
    """Say that the disk is full, where if that is known, and what to do."""
    place = getattr(error, "filename", None)
    return f"the disk is full{f' (writing {place})' if place else ''}: {REMEDY}"


def full_disk_fault(folder: Path) -> str:
    """Say so if a folder's disk is so full that no run can even begin, or nothing."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes >= LEAST_BYTES:
        return ""
    return f"the disk of {folder} is full ({free_bytes / 1000:.0f} kB are left): {REMEDY}"
