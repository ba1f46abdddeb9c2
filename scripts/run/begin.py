"""Prepare a run before its first job."""

import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from scripts.core.characters import printable_lines
from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import RESULTS, copies_path
from scripts.download.store_users import register_used_entries
from scripts.inputs.published import check_rehydration, published_lines
from scripts.inputs.rows import listed_rows
from scripts.inputs.videos import Video
from scripts.job.budget import MARKS
from scripts.job.disk import full_disk_fault
from scripts.run.leftovers import lock_message, register_run
from scripts.run.preflight import preflight
from scripts.run.takedown import take_down
from scripts.warm.sockets import NoDetector, clear_sockets, private_folder


def check_lock_and_disk() -> None:
    """Print a message about the lock of a killed run. Raise UserError if the disk is too full for Snakemake."""
    with suppress(NoDetector):
        clear_sockets(private_folder())  # of killed detectors
    if message := lock_message():
        print(message, file=sys.stderr)
    if fault := full_disk_fault(Path.cwd()):
        raise UserError(fault)


def start_run(
    videos: Mapping[str, Video], config: Mapping[str, Any], patterns: Iterable[str], targets: Collection[str]
) -> None:
    """Delete the outputs of videos that left the table, and check everything that could fail the run.

    `patterns` are the paths of the rules, with wildcards. Raise UserError, before anything is deleted, for the wrong
    table or for a run that would mix a published dataset with another one.
    """
    register_run(RESULTS, MARKS)
    known = set(videos)
    if config["rehydrate"]:
        check_rehydration(targets, RESULTS)
        # Rows whose local file is missing count, too.
        listed = {cells["video"] for _, cells in published_lines(Path(config["rehydrate"]))}
        known |= listed - set(config["exclude"])
    take_down(known, config["exclude"], patterns, config["max_removed_share"])
    preflight(videos, RESULTS, config)
    _delete_old_outputs(RESULTS)
    register_used_entries(Path(config["store"]), Path.cwd(), [row.url for row in listed_rows(config).values()])


@lru_cache(maxsize=1)
def read_kept(path: str, mtime_ns: int) -> Any:
    """Return the kept frames of each video; each version of the file is read only once."""
    try:
        return read_json(Path(path))
    except UserError as error:
        stop_run(error)


def stop_run(reason: object) -> NoReturn:
    """End a run before its first job. With an exception, Snakemake would also print a line of a rule file."""
    sys.exit(f"reelsieve: {printable_lines(str(reason))}")


def _delete_old_outputs(results: Path) -> None:
    """Delete the table of copies under the name that earlier versions gave it."""
    old = results / "dedup/manifest.parquet"
    if old.exists():
        old.unlink()
        print(f"reelsieve: deleted {old}: this table is called {copies_path(results).name} now", file=sys.stderr)
