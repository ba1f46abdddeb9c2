"""A line per stage in a terminal."""

import io

from rich.console import Console

from scripts.run.screen import stage_table
from scripts.run.stages import Stage


def drawn(*stages: Stage) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    console.print(stage_table(stages, now_s=100))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.replace("━", "").split()) for line in console.file.getvalue().splitlines()]


def test_a_line_shows_counts_frames_time_left_and_running_videos() -> None:
    running = {number: f"v{number}" for number in range(5)}
    stage = Stage("extract_frames", 10, 4, {9}, running, frames_out=1200, since_s=40, last_s=100)
    assert drawn(stage) == ["extract_frames 4/10, 1 failed 1,200 frames, 20/s 75 s left v0, v1, v2 and 2 more"]


def test_a_stage_over_all_videos_shows_the_time_since_its_start() -> None:
    assert drawn(Stage("deduplicate", 1, running={1: ""}, since_s=10)) == ["deduplicate 0/1 for 2 min"]
    assert drawn(Stage("report", 1)) == ["report 0/1"]
