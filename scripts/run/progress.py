"""Show how far a run is, in place of what Snakemake says of each job, which its log file keeps.

A line per stage in a terminal; elsewhere plain lines, of the stages that went on since the last ones.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.core.files import read_json, write_json
from scripts.core.layout import record_path
from scripts.core.text import one_line, printable
from scripts.job.log import INTERRUPTED, SILENT
from scripts.job.process import owner_name
from scripts.job.run_state import STATE, note_stop
from scripts.run.snakemake_internals import (
    IDLE,
    NOISE_EVENTS,
    STOPPED,
    has_colour_terminal,
    is_chatter,
    plain_terminal_handler,
)
from scripts.run.stages import Board, pictures_in, plain_line

PLAIN_EVERY_S, NOTE_EVERY_S = 20.0, 2.0
LAST_LINES, LONGEST_LINE = 12, 1000  # of a failed job's log
IN_VIEW = frozenset({"expand_sources", "purge_excluded", "rehydrate", "verify"})  # see start_job_in_view()


def show_progress(logger: logging.Logger, results: Path, when_idle: Callable[[], None]) -> None:
    """Take over from Snakemake's own lines, unless others were asked for; `when_idle` tells where nothing is to do."""
    if handler := plain_terminal_handler(logger):
        os.environ[SILENT] = "1"
        logger.removeHandler(handler)
        logger.addHandler(Progress(handler, results, when_idle))


def stop_progress(logger: logging.Logger) -> None:
    """Leave the last state of the stages on the terminal, before something else is written there."""
    for handler in logger.handlers:
        if isinstance(handler, Progress):
            handler.stop()


class Progress(logging.Handler):
    """Count jobs and show the stages; pass on everything else to the handler whose place it takes."""

    def __init__(self, before: Any, results: Path, when_idle: Callable[[], None]) -> None:
        """`before` is Snakemake's handler for the terminal."""
        super().__init__()
        self._guard = self.lock or threading.RLock()  # logging holds it while emit() runs
        self._before = before
        self._results = results
        self._when_idle = when_idle
        self._board = Board(lambda rule, video: pictures_in(results, rule, video))
        self._screen: Any = None
        self._told: dict[str, int] = {}
        self._said = ""
        self._noted = False
        self._end = threading.Event()
        self._run = owner_name(os.getpid())
        atexit.register(self.stop)  # a terminal without its cursor is no place to be left in

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of Snakemake's log."""
        event = str(getattr(record, "event", None) or "")
        try:
            if str(record.msg).startswith(STOPPED):
                note_stop()
            self._count(event, record)
            if event == "job_error":
                self._say("\n".join(failure(vars(record), self._board.job(vars(record)["jobid"])[1])))
            elif event == "group_error":
                self._say("\n".join(["a submission failed:", *ends_of(vars(record)["aux_logs"])]))
            elif event not in NOISE_EVENTS and not is_chatter(record) and self._before.filter(record):
                self._say(self._before.format(record))
                if str(record.msg).startswith(IDLE):  # which Snakemake does not count as a success to tell of
                    self._when_idle()
        except Exception:
            self.handleError(record)

    def stop(self) -> None:
        """Show the stages for the last time."""
        self._end.set()
        self._tell_plainly()
        with self._guard:
            if self._noted:
                STATE.unlink(missing_ok=True)
        if self._screen:
            self._screen.stop()
            self._screen = None

    def _count(self, event: str, record: logging.LogRecord) -> None:
        told, now_s = vars(record), time.monotonic()
        if event == "run_info":
            self._board.plan({rule: count for rule, count in told["stats"].items() if rule != "total"})
        elif event == "job_info":
            if told["rule_name"] in IN_VIEW:
                self.stop()  # it speaks for itself
            else:
                self._begin()
            self._board.start(told["jobid"], told["rule_name"], told["wildcards"].get("video", ""), now_s)
        elif event == "job_finished":
            self._board.finish(told["job_id"], now_s)
            rule, video = self._board.job(told["job_id"])
            if rule == "download_video" and (lost := loss(record_path(self._results, video))):
                self._say(f"{video}: {lost}")
        elif event == "job_error" and not was_interrupted(ends_of(told["log"] or ())):
            self._board.fail(told["jobid"])
        elif event == "progress":
            self._board.plan_in_all(told["total"])

    def _begin(self) -> None:
        """Open the screen with the first job, or begin to tell plainly."""
        if self._screen or self._end.is_set() or self._told:
            return
        if has_colour_terminal(self._before):
            from scripts.run.screen import Screen  # draws with a library that a run elsewhere need not load

            self._screen = Screen(self._board, self._before.stream)
        else:
            self._told = {"": 0}
        threading.Thread(target=self._keep_telling, daemon=True).start()

    def _keep_telling(self) -> None:
        """Note the state for who asks from outside, and say it where there is no screen."""
        told_s = time.monotonic()
        while not self._end.wait(NOTE_EVERY_S):
            with self._guard, suppress(OSError):  # a full disk, which the jobs will tell of
                if not self._end.is_set():
                    write_json(STATE, {"run": self._run, "stages": self._board.state(time.monotonic())})
                    self._noted = True
            if time.monotonic() >= told_s + PLAIN_EVERY_S:
                told_s = time.monotonic()
                self._tell_plainly()

    def _tell_plainly(self) -> None:
        """Say of the stages that went on how far they are."""
        if not self._told:
            return
        with self._guard:
            for stage in self._board.stages():
                if stage.done + len(stage.failed) != self._told.get(stage.name, 0):
                    self._told[stage.name] = stage.done + len(stage.failed)
                    self._say(plain_line(stage, time.monotonic()))

    def _say(self, text: str) -> None:
        text = "\n".join(map(printable, text.splitlines()))
        if not text.strip() or text == self._said:  # a run that is told to end says so each second
            return
        self._said = text
        if self._screen:
            self._screen.say(text)
        else:
            self._before.stream.write(text + "\n")
            self._before.stream.flush()


def failure(told: Mapping[str, Any], video: str) -> list[str]:
    """Return what to say of a failed job: on which video, the last lines of its log, and where that is.

    Nothing of one that was stopped with its run.
    """
    end = ends_of(told["log"] or ())
    if was_interrupted(end):
        return []
    if told.get("indent") and not any(" ERROR " in line for line in end):
        return []  # another job of its submission failed
    return [f"{told['rule_name']} failed" + (f" on video {video}" if video else ""), *end]


def was_interrupted(end: Iterable[str]) -> bool:
    """Tell by the end of its log whether a job was stopped with its run."""
    return any(line.endswith(f" INFO {INTERRUPTED}") for line in end)


def ends_of(logs: Iterable[str]) -> list[str]:
    """Return the last lines of each log, and where it is."""
    lines = []
    for path in map(Path, logs):
        if not path.is_file():
            lines.append(f"  it wrote no log ({path}); with --verbose it is seen what was said otherwise")
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            last = deque(file, LAST_LINES)
        lines += [f"  {one_line(line, LONGEST_LINE)}" for line in last if line.strip()]
        lines.append(f"  log: {path.absolute()}")
    return lines


def loss(record: Path) -> str:
    """Return why a video could not be had, as a line, or nothing."""
    try:
        told = read_json(record)
    except OSError:
        return ""  # deleted since
    return "" if told["status"] == "ok" else one_line(f"{told['status']}: {told['message']}")
