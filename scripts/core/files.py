"""Write files completely or not at all, and share bytes on disk instead of copying them."""

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

from scripts.core.characters import one_line
from scripts.core.errors import Damaged
from scripts.core.layout import output_of

UNFINISHED = ".unfinished-"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to. It replaces `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)  # in a shared folder, another user's link there would be written through
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def clear_parts(path: Path) -> None:
    """Delete temporary files that killed processes left for `path`. No other process may be writing it."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)


def delete_folder(folder: Path) -> None:
    """Delete a folder. It is renamed first, so that a killed process never leaves a part of it under its name."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    folder.rename(part)
    shutil.rmtree(part)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text completely or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write JSON completely or not at all. Equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the value in a JSON file. Raise OSError if there is no file, Damaged if it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, why: object) -> Damaged:
    """Return the error of a file of ours that cannot be read."""
    return Damaged(f"{path} is damaged ({one_line(str(why))}): delete {output_of(path)} and run the same command again")


def link_file(source: Path, target: Path) -> None:
    """Hard-link `source` to `target`, or copy it where links do not work."""
    if not _hard_link(source, target):
        with whole_file(target) as part:
            shutil.copyfile(source, part)


def link_media(source: Path, target: Path) -> None:
    """Hard-link `source` to `target`, or make a symbolic link where that does not work. Copy if neither works."""
    if _hard_link(source, target):
        return
    try:
        target.symlink_to(source.resolve())
    except OSError:
        with whole_file(target) as part:
            shutil.copyfile(source, part)


def _hard_link(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(strict=True), target)
    except FileNotFoundError:
        raise
    except OSError:  # each file system has its own way to say no; a full disk fails the copy as well
        return False
    return True


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, or of the names and contents in a folder."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for member in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{member.relative_to(path).as_posix()}\0{sha256_of(member)}\n".encode())
    return digest.hexdigest()


@contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """Yield a temporary folder in `parent`, after deleting those of killed jobs. The caller has locked `parent`."""
    for left in parent.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=parent, prefix=UNFINISHED, ignore_cleanup_errors=True) as name:
        yield Path(name)
