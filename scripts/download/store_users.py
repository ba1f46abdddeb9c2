"""Which run folders use which entries of a store: a file for each in `runs/` of the store."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from scripts.core.files import clear_parts, read_json, write_json
from scripts.download.store import entry_of
from scripts.inputs.videos import is_local

ENTRY = re.compile(r"[0-9a-f]{24}")


def entries_of(store: Path, urls: Iterable[str]) -> set[str]:
    """Return the names of the entries of these sources; local files have none."""
    return {entry_of(store, url).name for url in urls if not is_local(url)}


def register_used_entries(store: Path, folder: Path, urls: Iterable[str]) -> None:
    """Note that a run folder uses these sources, beside those that it used before."""
    before = read_used_entries(store, folder)
    entries = before | entries_of(store, urls)
    if entries != before:
        write_used_entries(store, folder, entries)


def read_used_entries(store: Path, folder: Path) -> set[str]:
    """Return the names of the entries that a run folder uses or has used."""
    return _read(_file_of(store, folder))[1]


def write_used_entries(store: Path, folder: Path, entries: Iterable[str]) -> None:
    """Replace what is noted of a run folder."""
    clear_parts(_file_of(store, folder))
    write_json(_file_of(store, folder), {"folder": str(folder.absolute()), "entries": sorted(entries)})


def other_runs(store: Path, but: Path) -> dict[str, set[str]]:
    """Return the names of the entries of each other run folder, by its path and the file that says so."""
    own = _file_of(store, but)
    others = [(path, *_read(path)) for path in sorted((store / "runs").glob("*.json")) if path != own]
    return {f"{folder} (noted in {path})": entries for path, folder, entries in others}


def _file_of(store: Path, folder: Path) -> Path:
    return store / "runs" / f"{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:24]}.json"


def _read(path: Path) -> tuple[str, set[str]]:
    """Return a run folder and its entries; a name that is none leads nowhere."""
    if not path.exists():
        return "", set()
    noted = read_json(path)
    return str(noted["folder"]), {name for name in noted["entries"] if ENTRY.fullmatch(name)}
