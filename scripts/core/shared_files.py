"""Use a folder that other users may write to, such as a shared store: follow no links, and trust no file's form."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError

MOST_JSON_BYTES = 20_000_000


def refuse_link(path: Path) -> None:
    """Raise UserError if a path is a symbolic link, which could lead to files of this user elsewhere."""
    if path.is_symlink():
        raise UserError(f"{path} is a symbolic link, which may lead anywhere: delete it, or ask who made it")


def is_own_file(path: Path) -> bool:
    """Return whether a path is a regular file and has no other name, so that writing to it changes no other file."""
    known = path.lstat()
    return stat.S_ISREG(known.st_mode) and known.st_nlink == 1


def read_shared_json(path: Path) -> Any:
    """Return the value in a JSON file.

    Raise OSError if it is missing, a link or no regular file, and ValueError if it is no JSON or too large.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode) or known.st_size > MOST_JSON_BYTES:
            raise ValueError(f"{path} is no file of at most {MOST_JSON_BYTES} bytes")
        text = file.read(MOST_JSON_BYTES)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply") from None
