"""Show the progress of a run folder, also during a run: python -m scripts.run.status FOLDER [--all]."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import yaml

from scripts.core.characters import one_line
from scripts.core.errors import Damaged, UserError
from scripts.core.files import read_json
from scripts.core.layout import (
    CHECKOUT,
    RESULTS,
    detections_table,
    filter_table,
    frames_table,
    hashes_table,
    kept_path,
    record_path,
)
from scripts.inputs.config import check_config, find_config
from scripts.inputs.rows import rows_of
from scripts.job.process import is_alive
from scripts.job.run_state import STATE
from scripts.run.stages import RunState, StageState, stage_of

if TYPE_CHECKING:
    from rich.table import Table

    from scripts.core.row_types import KeptFrames, VideoRecord

MOST_ROWS = 40  # of videos, without --all
PLAIN_WIDTH = 160  # of the output if it goes to no terminal
WAITING, LOST = "waiting", "lost"
COUNTS = ("frames", "passed", "kept")
COLUMNS = ("video", "status", "stage", *COUNTS, "message")
# The file that shows that a stage is done with a video. The last existing one is the video's progress.
DONE: dict[str, Callable[[Path, str], Path]] = {
    "downloaded": record_path,
    "extracted": frames_table,
    "filtered": filter_table,
    "hashed": hashes_table,
    "detected": detections_table,
}


class VideoState(TypedDict):
    """The progress of a video: status and message of its download, last stage, numbers of frames (None: unknown)."""

    video: str
    status: str
    stage: str
    frames: int | None
    passed: int | None
    kept: int | None
    message: str


def video_state(video: str, kept: Mapping[str, "KeptFrames"]) -> VideoState:
    """Return the progress of a video from the files in results/."""
    done = [stage for stage, path_of in DONE.items() if path_of(RESULTS, video).exists()]
    state: VideoState = {
        "video": video,
        "status": "",
        "stage": done[-1] if done else WAITING,
        "frames": _rows_in(filter_table(RESULTS, video)) or _rows_in(frames_table(RESULTS, video)),
        "passed": _frames_in(filter_table(RESULTS, video).parent),
        "kept": len(kept[video]["frames"]) if video in kept else None,
        "message": "",
    }
    with suppress(OSError, Damaged):  # there is no record yet, or a download is replacing it
        record: VideoRecord = read_json(record_path(RESULTS, video))
        state["status"], state["message"] = record["status"], one_line(record["message"] or "")
        state["stage"] = state["stage"] if record["status"] == "ok" else LOST
    return state


def _rows_in(table: Path) -> int | None:
    """Return the number of rows of a table, or None if there is none."""
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(table).num_rows)  # it reads only the end of the file
    except (OSError, ValueError):
        return None  # missing, just deleted, or damaged


def _frames_in(folder: Path) -> int | None:
    try:
        return sum(path.suffix == ".jpg" for path in folder.iterdir())
    except OSError:
        return None


def read_kept() -> dict[str, "KeptFrames"]:
    """Return the kept frames of each video; empty before deduplicate has run."""
    try:
        kept: dict[str, KeptFrames] = read_json(kept_path(RESULTS))
    except (OSError, Damaged):
        return {}
    return kept


def read_run_state() -> tuple[str, list[StageState]]:
    """Return a sentence on the run in this folder, and the state of its stages."""
    try:
        state: RunState = read_json(STATE)
    except (OSError, Damaged):
        return "no run is going on", []
    if is_alive(state["run"]):
        return "a run is going on", state["stages"]
    return "the last run was killed, or runs on another machine; if it was killed, run the same command to continue", []


def choose_rows(states: list[VideoState], running: Collection[str], most: int) -> list[VideoState]:
    """Return at most `most` videos: those of running jobs first, then failed, unfinished, waiting and finished ones."""
    if len(states) <= most:
        return states
    order = {LOST: 1, WAITING: 3, "detected": 4}
    return sorted(states, key=lambda state: 0 if state["video"] in running else order.get(state["stage"], 2))[:most]


def describe_totals(states: list[VideoState]) -> str:
    """Return the number of videos per status, and the sums of their frames, as a line."""
    statuses = Counter(state["status"] or "not downloaded" for state in states)
    sums = {
        "frames": sum(state["frames"] or 0 for state in states),
        "passed": sum(state["passed"] or 0 for state in states),
        "kept": sum(state["kept"] or 0 for state in states),
    }
    parts = [f"{count} {status}" for status, count in statuses.most_common()]
    return f"{len(states)} videos: " + ", ".join([*parts, *(f"{count:,} {name}" for name, count in sums.items())])


def video_table(states: list[VideoState]) -> "Table":
    """Return a table with a row per video."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name in COLUMNS:
        if name == "message":
            table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1)
        else:
            table.add_column(name, no_wrap=True, justify="right" if name in COUNTS else "left")
    for state in states:
        cells: dict[str, object] = {**state}
        style = {LOST: "red", WAITING: "dim"}.get(state["stage"], "")
        table.add_row(*("" if cells[name] is None else str(cells[name]) for name in COLUMNS), style=style)
    return table


def show(folder: Path, most: int) -> None:
    """Print the progress of a run folder, which must be the working directory."""
    from rich.console import Console

    from scripts.run.screen import stage_table

    config = yaml.safe_load(
        (find_config(Path("config")) or CHECKOUT / "config/config.yaml").read_text(encoding="utf-8")
    )
    check_config(config, yaml.safe_load((CHECKOUT / "config/schemas/config.schema.yaml").read_text(encoding="utf-8")))
    kept, (sentence, stage_states) = read_kept(), read_run_state()
    states = [video_state(video, kept) for video in rows_of(config)]
    stages = [stage_of(state) for state in stage_states]
    shown = choose_rows(states, {video for stage in stages for video in stage.running.values()}, most)
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(f"{folder}: {sentence}", soft_wrap=True)
    console.print(*([stage_table(stages, 0.0)] if stages else []), video_table(shown), sep="\n")
    if len(shown) < len(states):
        console.print(f"and {len(states) - len(shown)} more (--all shows them)")
    console.print(describe_totals(states), soft_wrap=True)


def main() -> None:
    """Parse the command line and show the progress of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="show all videos, also if there are many")
    options = parser.parse_args()
    try:
        os.chdir(options.folder)
        show(options.folder, sys.maxsize if options.all else MOST_ROWS)
    except (UserError, OSError) as error:
        sys.exit(f"reelsieve: {error}")


if __name__ == "__main__":
    main()
