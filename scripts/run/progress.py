"""Show the progress of a run in place of Snakemake's lines on each job."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.core.layout import record_path
from scripts.job.log import SILENT
from scripts.job.run_state import note_stop
from scripts.run.display import Display
from scripts.run.failures import (
    describe_failed_download,
    describe_failed_job,
    describe_failed_submission,
    log_ends,
    was_interrupted,
)
from scripts.run.log_filter import event_of, is_shown
from scripts.run.snakemake_internals import IDLE, STOPPED, has_colour_terminal, plain_terminal_handler
from scripts.run.stages import StageCounts, count_frames

REQUESTED = frozenset({"expand_sources", "purge_excluded", "rehydrate", "verify"})  # they log to the terminal


def show_progress(logger: logging.Logger, results: Path, when_idle: Callable[[], None]) -> None:
    """Show the stages in place of Snakemake's own lines, unless the user asked for others.

    `when_idle` is called if there is nothing to do.
    """
    if handler := plain_terminal_handler(logger):
        os.environ[SILENT] = "1"
        logger.removeHandler(handler)
        logger.addHandler(Progress(handler, results, when_idle))


def stop_progress(logger: logging.Logger) -> None:
    """Leave the last state of the stages on the terminal, before anything else is written there."""
    for handler in logger.handlers:
        if isinstance(handler, Progress):
            handler.stop()


class Progress(logging.Handler):
    """Take Snakemake's log records: count jobs, report failures, and show the messages that a user needs."""

    def __init__(self, before: Any, results: Path, when_idle: Callable[[], None]) -> None:
        """`before` is Snakemake's handler for the terminal; `when_idle` is called if there is nothing to do."""
        super().__init__()
        self._before = before
        self._results = results
        self._when_idle = when_idle
        self._counts = StageCounts(lambda rule, video: count_frames(results, rule, video))
        guard = self.lock or threading.RLock()  # logging holds it while emit() runs
        self._display = Display(self._counts, before.stream, has_colour_terminal(before), guard)
        atexit.register(self.stop)  # a terminal must get its cursor back

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of Snakemake's log."""
        try:
            if str(record.msg).startswith(STOPPED):
                note_stop()
            self._count(event_of(record), vars(record))
            messages = self._messages(record)
            self._display.show("\n".join(messages))
            if messages and str(record.msg).startswith(IDLE):  # then Snakemake runs neither onsuccess nor onerror
                self._when_idle()
        except Exception:
            self.handleError(record)

    def stop(self) -> None:
        """Show the stages for the last time."""
        self._display.close()

    def _count(self, event: str, content: dict[str, Any]) -> None:
        now_s = time.monotonic()
        if event == "run_info":
            self._counts.plan({rule: count for rule, count in content["stats"].items() if rule != "total"})
        elif event == "job_info":
            if content["rule_name"] in REQUESTED:
                self._display.close()
            else:
                self._display.open()
            self._counts.start(content["jobid"], content["rule_name"], content["wildcards"].get("video", ""), now_s)
        elif event == "job_finished":
            self._counts.finish(content["job_id"], now_s)
        elif event == "job_error" and not was_interrupted(log_ends(content["log"] or ())):
            self._counts.fail(content["jobid"])
        elif event == "progress":
            self._counts.plan_in_all(content["total"])

    def _messages(self, record: logging.LogRecord) -> list[str]:
        """Return the lines to show for a record."""
        event, content = event_of(record), vars(record)
        if event == "job_finished":
            rule, video = self._counts.job(content["job_id"])
            failure = describe_failed_download(record_path(self._results, video)) if rule == "download_video" else ""
            return [f"{video}: {failure}"] if failure else []
        if event == "job_error":
            return describe_failed_job(content, self._counts.job(content["jobid"])[1])
        if event == "group_error":
            return describe_failed_submission(content)
        return [self._before.format(record)] if is_shown(record) and self._before.filter(record) else []
