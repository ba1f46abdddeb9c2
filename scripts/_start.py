"""What a run does before its first job."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts._preflight import preflight
from scripts._published import check_rehydration, published_lines
from scripts._rows import listed_rows
from scripts._runs import register_run
from scripts._takedown import take_down
from scripts._videos import Video


def start_run(
    videos: Mapping[str, Video], config: Mapping[str, Any], patterns: Iterable[str], targets: Collection[str]
) -> None:
    """Delete what is left of videos that are gone, and look for what would fail the run.

    `patterns` are the paths of the rules, with wildcards. Raise UserError before anything is deleted or begun if the
    run would mix what does not belong together.
    """
    known = set(videos)
    if config["rehydrate"]:
        check_rehydration(targets, Path("results"))
        listed = {cells["video"] for _, cells in published_lines(Path(config["rehydrate"]))}  # also without their file
        known |= listed - set(config["exclude"])
    take_down(known, config["exclude"], patterns, config["max_removed_share"])
    preflight(videos, Path("results"), config)
    register_run(Path(config["store"]), Path.cwd(), [row.url for row in listed_rows(config).values()])
