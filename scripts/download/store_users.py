"""Which run folders use which folders of the store, with a file per run folder in `runs/` of the store."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from scripts.core.errors import UserError
from scripts.core.files import clear_parts, write_json
from scripts.core.shared_files import read_shared_json, refuse_link
from scripts.download.store import entry_of
from scripts.inputs.urls import is_local, source_of

ENTRY = re.compile(r"[0-9a-f]{24}")


class StoreUser(TypedDict):
    """The content of a file in `runs/`: a run folder, and the names of the entries that it uses."""

    folder: str
    entries: list[str]


def entries_of(store: Path, urls: Iterable[str]) -> set[str]:
    """Return the names of the entries of these sources; local files have none."""
    remote = [url for url in urls if not is_local(url)]
    return {entry_of(store, text).name for url in remote for text in (url, source_of(url))}


def register_used_entries(store: Path, folder: Path, urls: Iterable[str]) -> None:
    """Record that a run folder uses these sources, besides those that it used before."""
    before = read_used_entries(store, folder)
    entries = before | entries_of(store, urls)
    if entries != before:
        write_used_entries(store, folder, entries)


def read_used_entries(store: Path, folder: Path) -> set[str]:
    """Return the names of the entries that a run folder uses or has used."""
    return _read(_file_of(store, folder))[1]


def write_used_entries(store: Path, folder: Path, entries: Iterable[str]) -> None:
    """Replace the record of a run folder."""
    refuse_link(store / "runs")
    clear_parts(_file_of(store, folder))
    user: StoreUser = {"folder": str(folder.absolute()), "entries": sorted(entries)}
    write_json(_file_of(store, folder), user)


def other_runs(store: Path, excluding: Path) -> dict[str, set[str]]:
    """Return the names of the entries of each other run folder, by its path and the file that records it."""
    own = _file_of(store, excluding)
    others = [(path, *_read(path)) for path in sorted((store / "runs").glob("*.json")) if path != own]
    return {f"{folder} (recorded in {path})": entries for path, folder, entries in others}


def _file_of(store: Path, folder: Path) -> Path:
    return store / "runs" / f"{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:24]}.json"


def _read(path: Path) -> tuple[str, set[str]]:
    """Return a run folder and its entries, without names that are no entry and could lead out of the store."""
    try:
        user: StoreUser = read_shared_json(path)
        return str(user["folder"]), {name for name in user["entries"] if ENTRY.fullmatch(name)}
    except FileNotFoundError:
        return "", set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged or a link ({error}): delete it and run again") from None
