"""Log a job to its own file and end it with a message a person can act on."""

import logging
import os
import sys
from textwrap import shorten
from types import TracebackType
from typing import NoReturn

# Set by a run that shows its progress itself: what its jobs wrote to the terminal would be written over it.
SILENT = "REELSIEVE_SILENT_JOBS"


class UserError(Exception):
    """What failed, on what, why, and what to do: shown without a traceback, because the cause is outside the code."""


def stop_run(reason: object) -> NoReturn:
    """End a run before its first job: Snakemake would put the line of a rule's file beside what the user got wrong."""
    sys.exit(f"reelsieve: {reason}")


def one_line(text: str, most: int = 300) -> str:
    """Return text in which anything from the internet may stand as a line that is safe in a terminal."""
    return shorten("".join(c if c.isprintable() else " " for c in text), most)


def log_to(path: str) -> None:
    """Send log lines and the reason of a failure to `path` and, unless the run shows its progress, to stderr."""
    _log(path, *([] if os.environ.get(SILENT) else [_to_stderr()]))


def log_and_show(path: str) -> None:
    """Send log lines to `path` and to stderr in any case: for what a person asked for and waits to be told."""
    _log(path, _to_stderr())


def _to_stderr() -> logging.Handler:
    """Return a handler for all but what is marked `log_only`."""
    shown = logging.StreamHandler()
    shown.addFilter(lambda record: not getattr(record, "log_only", False))
    return shown


def _log(path: str, *others: logging.Handler) -> None:
    handlers = [logging.FileHandler(path, mode="w", encoding="utf-8"), *others]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    known = issubclass(kind, UserError | KeyboardInterrupt)
    logging.error("%s", error or kind.__name__, exc_info=None if known else (kind, error, trace))
