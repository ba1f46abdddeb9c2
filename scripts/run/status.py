"""Show how far a run folder is, also while a run is going on in it: python -m scripts.run.status FOLDER [--all]."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import (
    RESULTS,
    detections_table,
    filter_table,
    frames_table,
    hashes_table,
    kept_path,
    record_path,
)
from scripts.core.text import one_line
from scripts.inputs.config import check_config, find_config
from scripts.inputs.rows import rows_of
from scripts.job.process import is_alive
from scripts.job.run_state import STATE
from scripts.run.stages import stage_of

ROOT = Path(__file__).parents[2]
MOST_ROWS = 40  # of videos, unless all are asked for
PLAIN_WIDTH = 160  # where there is no terminal to ask
WAITING, LOST = "waiting", "lost"
COUNTS = ("frames", "passed", "kept")
COLUMNS = ("video", "status", "stage", *COUNTS, "message")
# What a video has when a stage is done with it; the last one that is there says how far it is.
DONE: dict[str, Callable[[Path, str], Path]] = {
    "downloaded": record_path,
    "extracted": frames_table,
    "filtered": filter_table,
    "hashed": hashes_table,
    "detected": detections_table,
}


def video_state(video: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return a video's status, how far it is, counts of its frames and the site's message."""
    there = [stage for stage, path_of in DONE.items() if path_of(RESULTS, video).exists()]
    row = {"video": video, "status": "", "stage": there[-1] if there else WAITING, "message": ""}
    with suppress(OSError):  # not there yet, or being fetched again
        told = read_json(record_path(RESULTS, video))
        row |= {"status": told["status"], "message": one_line(told["message"] or "")}
        row["stage"] = row["stage"] if told["status"] == "ok" else LOST
    return row | {
        "frames": _rows_in(filter_table(RESULTS, video)) or _rows_in(frames_table(RESULTS, video)),
        "passed": _pictures_in(filter_table(RESULTS, video).parent),
        "kept": len(kept[video]["frames"]) if video in kept else None,
    }


def _rows_in(table: Path) -> int | None:
    """Return how many rows a table has, from its last bytes."""
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(table).num_rows)
    except OSError:
        return None  # not there, or deleted just now


def _pictures_in(folder: Path) -> int | None:
    try:
        return sum(path.suffix == ".jpg" for path in folder.iterdir())
    except OSError:
        return None


def read_kept() -> dict[str, Any]:
    """Return what deduplicate kept of each video, if it has run."""
    try:
        kept: dict[str, Any] = read_json(kept_path(RESULTS))
    except OSError:
        return {}
    return kept


def read_run_state() -> tuple[str, list[dict[str, Any]]]:
    """Return in a sentence whether a run is going on here, and the state of its stages."""
    try:
        state = read_json(STATE)
    except OSError:
        return "no run is going on", []
    if is_alive(state["run"]):
        return "a run is going on", state["stages"]
    return (
        "the last run was killed, or goes on on another machine; if not, the same command goes on where it stopped",
        [],
    )


def choose_rows(rows: list[dict[str, Any]], at_work: Iterable[str], most: int) -> list[dict[str, Any]]:
    """Return all rows if they are few, else those at work, then those lost, then those to come."""
    if len(rows) <= most:
        return rows
    busy = set(at_work)
    order = {LOST: 1, WAITING: 3, "detected": 4}
    return sorted(rows, key=lambda row: 0 if row["video"] in busy else order.get(row["stage"], 2))[:most]


def totals(rows: list[dict[str, Any]]) -> str:
    """Return the sums of all videos as a line."""
    statuses = Counter(row["status"] or "to come" for row in rows)
    sums = [f"{sum(row[name] or 0 for row in rows):,} {name}" for name in COUNTS]
    return f"{len(rows)} videos: " + ", ".join([*(f"{n} {status}" for status, n in statuses.most_common()), *sums])


def show(folder: Path, most: int) -> None:
    """Print the state of the run folder, which is the working directory."""
    from rich.console import Console
    from rich.table import Table

    from scripts.run.screen import stage_table

    config = yaml.safe_load((find_config(Path("config")) or ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    check_config(config, yaml.safe_load((ROOT / "config/schemas/config.schema.yaml").read_text(encoding="utf-8")))
    kept, (said, states) = read_kept(), read_run_state()
    rows = [video_state(video, kept) for video in rows_of(config)]
    stages = [stage_of(state) for state in states]
    shown = choose_rows(rows, [video for stage in stages for video in stage.running.values()], most)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name in COLUMNS:
        if name == "message":
            table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1)
        else:
            table.add_column(name, no_wrap=True, justify="right" if name in COUNTS else "left")
    for row in shown:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in COLUMNS), style=_style(row))
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(f"{folder}: {said}", soft_wrap=True)
    console.print(*([stage_table(stages, 0.0)] if stages else []), table, sep="\n")
    if len(shown) < len(rows):
        console.print(f"and {len(rows) - len(shown)} more (--all shows them)")
    console.print(totals(rows), soft_wrap=True)


def _style(row: Mapping[str, Any]) -> str:
    return "red" if row["stage"] == LOST else "dim" if row["stage"] == WAITING else ""


def main() -> None:
    """Show the state of a folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--all", action="store_true", help="show every video, however many there are")
    asked = options.parse_args()
    try:
        os.chdir(asked.folder)
        show(asked.folder, sys.maxsize if asked.all else MOST_ROWS)
    except (UserError, OSError) as error:
        sys.exit(f"reelsieve: {error}")


if __name__ == "__main__":
    main()
