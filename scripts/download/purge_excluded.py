"""Delete from the store the media of sources that this run folder used and no longer does (run on demand)."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.locks import hold_folder
from scripts.download.store_users import entries_of, other_runs, read_used_entries, write_used_entries
from scripts.inputs.rows import check_removed, listed_rows, rows_of
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def purge_excluded(store: Path, run: Path, in_use: set[str]) -> None:
    """Delete the entries that this run folder once used and no row uses now; keep what another one uses.

    An entry that nobody noted, or that something outside the store still links to, stays.
    """
    noted, others = read_used_entries(store, run), other_runs(store, but=run)
    for name in sorted(noted - in_use):
        entry = store / name
        if entry.is_symlink() or not entry.is_dir():
            noted.discard(name)
            continue
        with hold_folder(entry):
            if reason := use_elsewhere(entry, others):
                logging.warning("kept: %s: %s", entry, reason)
                continue
            for path, size_bytes in files_in(entry):
                logging.info("deleted: %s, %.1f MB", path, size_bytes / 1e6)
            try:
                shutil.rmtree(entry)
            except OSError as error:
                raise UserError(f"cannot delete {entry}: {error.strerror}: open the store and run again") from error
        noted.discard(name)
    if noted != read_used_entries(store, run):
        write_used_entries(store, run, noted)
    logging.info("%d sources that this run folder notes are left in the store", len(noted))


def use_elsewhere(entry: Path, others: Mapping[str, set[str]]) -> str:
    """Say who else uses an entry, or nothing."""
    if users := [run for run, entries in others.items() if entry.name in entries]:
        return f"also used by the run folder {'; '.join(users)}: delete that file if the folder is gone for good"
    linked = [path for path, _ in files_in(entry) if path.name.startswith("media.") and path.stat().st_nlink > 1]
    if linked:
        return f"{linked[0]} has a hard link elsewhere, such as in another run's results/ (find -samefile finds it)"
    return ""


def files_in(entry: Path) -> list[tuple[Path, int]]:
    """Return the files of an entry with their sizes; its lock is none."""
    files = sorted(path for path in entry.rglob("*") if path.is_file() and path != entry / "lock")
    return [(path, path.lstat().st_size) for path in files]


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    store, run = Path(snakemake.config["store"]), Path.cwd()
    listed = entries_of(store, (row.url for row in listed_rows(snakemake.config).values()))
    noted = read_used_entries(store, run)
    check_removed(noted - listed, len(noted), snakemake.config["max_removed_share"])
    purge_excluded(store, run, entries_of(store, (row.url for row in rows_of(snakemake.config).values())))
