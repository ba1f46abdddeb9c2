"""Write files whole or not at all, and share bytes on disk instead of copying them."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

UNFINISHED = ".unfinished-"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; it takes the place of `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def clear_parts(path: Path) -> None:
    """Delete what killed processes left of their attempts to write `path`; for those who alone may write it."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)


def delete_folder(folder: Path) -> None:
    """Delete a folder whole or not at all: what is left of it has another name, and never passes for all of it."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    folder.rename(part)
    shutil.rmtree(part)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole or not at all; equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the value in a JSON file; raise OSError or ValueError if there is none."""
    return json.loads(path.read_text(encoding="utf-8"))


def link_file(source: Path, target: Path) -> None:
    """Make `target` share the bytes of `source`: hard link, else copy."""
    if not _hard_link(source, target):
        with whole_file(target) as part:
            shutil.copyfile(source, part)


def link_media(source: Path, target: Path) -> None:
    """Make `target` stand for `source` without ever copying it: hard link, else symbolic link (other file system)."""
    if not _hard_link(source, target):
        target.symlink_to(source.resolve())


def _hard_link(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.ENOTSUP):
            raise
        return False
    return True


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's names and contents."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for member in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{member.relative_to(path).as_posix()}\0{sha256_of(member)}\n".encode())
    return digest.hexdigest()


@contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """Yield a folder to make something in, for who holds the lock on `parent`; delete those that killed jobs left."""
    for left in parent.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=parent, prefix=UNFINISHED, ignore_cleanup_errors=True) as name:
        yield Path(name)
