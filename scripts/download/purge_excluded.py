"""Delete from the store the media of sources that this run folder no longer uses (run on demand)."""

import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.files import delete_folder
from scripts.core.locks import hold_folder
from scripts.download.store_users import entries_of, other_runs, read_used_entries, write_used_entries
from scripts.inputs.rows import check_removed, listed_rows, rows_of
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def purge_excluded(
    store: Path, run: Path, listed_urls: Iterable[str], used_urls: Iterable[str], max_removed_share: float
) -> None:
    """Delete the entries of the store that only this run folder used and that no row uses now.

    `listed_urls` are those of all rows, `used_urls` those of the rows that are not excluded. Raise UserError and
    delete nothing if more than `max_removed_share` of the known sources are no longer listed.
    """
    known = read_used_entries(store, run)
    check_removed(known - entries_of(store, listed_urls), len(known), max_removed_share)
    left = known - _delete_unused(store, known - entries_of(store, used_urls), other_runs(store, excluding=run))
    if left != known:
        write_used_entries(store, run, left)
    logging.info("%d sources of this run folder are left in the store", len(left))


def _delete_unused(store: Path, names: set[str], others: Mapping[str, set[str]]) -> set[str]:
    """Delete these entries unless something else uses them; return the names of those that are gone."""
    gone = set()
    for left in store.glob(".[0-9a-f]*.part"):  # of an earlier purge that was killed
        shutil.rmtree(left, ignore_errors=True)
    for name in sorted(names):
        entry = store / name
        if entry.is_symlink() or not entry.is_dir():
            gone.add(name)
            continue
        with hold_folder(entry):
            if reason := use_elsewhere(entry, others):
                logging.warning("kept: %s: %s", entry, reason)
                continue
            for path, size_bytes in files_in(entry):
                logging.info("deleted: %s, %.1f MB", path, size_bytes / 1e6)
            try:
                delete_folder(entry)
            except OSError as error:
                raise UserError(f"cannot delete {entry}: {error.strerror}; make it writable and run again") from error
        gone.add(name)
    return gone


def use_elsewhere(entry: Path, others: Mapping[str, set[str]]) -> str:
    """Return what else uses an entry, or an empty text."""
    if users := [run for run, entries in others.items() if entry.name in entries]:
        return f"also used by the run folder {'; '.join(users)}: delete that file if the folder no longer exists"
    linked = [path for path, _ in files_in(entry) if path.name.startswith("media.") and path.stat().st_nlink > 1]
    if linked:
        return f"{linked[0]} has a hard link elsewhere, such as in another run's results/ (find -samefile finds it)"
    return ""


def files_in(entry: Path) -> list[tuple[Path, int]]:
    """Return the files of an entry with their sizes in bytes, without its lock."""
    files = sorted(path for path in entry.rglob("*") if path.is_file() and path != entry / "lock")
    return [(path, path.lstat().st_size) for path in files]


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    purge_excluded(
        store=Path(snakemake.config["store"]),
        run=Path.cwd(),
        listed_urls=[row.url for row in listed_rows(snakemake.config).values()],
        used_urls=[row.url for row in rows_of(snakemake.config).values()],
        max_removed_share=snakemake.config["max_removed_share"],
    )
