"""Draw the stages of a run in a terminal, a line each, below all messages."""

import time
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.run.stages import Stage, StageCounts, describe_duration, describe_frames

MOST_NAMED = 3  # videos of running jobs in a line
REFRESH_PER_S = 4


class Screen:
    """A terminal whose last lines are the stages."""

    def __init__(self, counts: StageCounts, stream: TextIO) -> None:
        """Start drawing."""
        self._counts = counts
        self._console = Console(file=stream, highlight=False)
        self._live = Live(
            console=self._console, get_renderable=self._draw, refresh_per_second=REFRESH_PER_S,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def show(self, text: str) -> None:
        """Print a message above the stages."""
        self._console.print(Text(text), soft_wrap=True)

    def stop(self) -> None:
        """Draw the last state and leave it there."""
        self._live.stop()

    def _draw(self) -> RenderableType:
        return stage_table(self._counts.stages(), time.monotonic())


def stage_table(stages: Iterable[Stage], now_s: float) -> Table:
    """Return a line per stage: a bar, jobs done, frames, time left, videos of running jobs."""
    table = Table.grid(padding=(0, 1), expand=False)
    for options in ({}, {"width": 16}, {"justify": "right"}, {}, {"justify": "right"}, {"overflow": "ellipsis"}):
        table.add_column(no_wrap=True, **options)
    for stage in stages:
        table.add_row(*_cells(stage, now_s))
    return table


def _cells(stage: Stage, now_s: float) -> list[Any]:
    ended = not stage.left()
    style = "red" if stage.failed else "green" if ended else "cyan" if stage.running else "dim"
    left_s = stage.left_s(now_s)
    count = f"{stage.done}/{stage.total}" + (f", {len(stage.failed)} failed" if stage.failed else "")
    return [
        Text(stage.name, style="dim" if stage.since_s is None else ""),
        ProgressBar(stage.total, stage.done, width=16, complete_style=style, finished_style=style),
        Text(count, style=style),
        Text(describe_frames(stage)),
        Text(f"{describe_duration(left_s)} left" if left_s else "", style="dim"),
        Text(_describe_running(stage, now_s), style="dim"),
    ]


def _describe_running(stage: Stage, now_s: float) -> str:
    """Return the videos of a stage's running jobs, or the time since its start if its job works on all videos."""
    if not stage.running:
        return ""
    named = [video for video in list(stage.running.values()) if video]
    if not named:
        return f"for {describe_duration(now_s - (stage.since_s or now_s))}"
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
