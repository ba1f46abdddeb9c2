"""Log a job to its own file and end it with a message a person can act on."""

import logging
import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import NoReturn

from scripts._room import is_full, told_full

# Set by a run that shows its progress itself: what its jobs wrote to the terminal would be written over it.
SILENT = "REELSIEVE_SILENT_JOBS"
LIKE = 0.7  # difflib's ratio: "persn" is like "person", "cat" is not like "car"
INTERRUPTED = "interrupted"  # the last line of a job that was stopped with its run


class UserError(Exception):
    """What failed, on what, why, and what to do: shown without a traceback, because the cause is outside the code."""


def stop_run(reason: object) -> NoReturn:
    """End a run before its first job: Snakemake would put the line of a rule's file beside what the user got wrong."""
    sys.exit(f"reelsieve: {reason}")


def one_line(text: str, most: int = 300) -> str:
    """Return text in which anything from the internet may stand as a line that is safe in a terminal."""
    return shorten(printable(text), most)


def told_unknown(given: Iterable[object], known: Iterable[str]) -> str:
    """Return names that are not known as a list, each with the known one that it is much like, if any."""
    by_lower = {name.lower(): name for name in known}
    close = {name: get_close_matches(str(name).lower(), by_lower, 1, LIKE) for name in given}
    said = [f"{name!r}" + (f" (did you mean {by_lower[like[0]]!r}?)" if like else "") for name, like in close.items()]
    return ", ".join(said)


def printable(text: str) -> str:
    """Return text with spaces in place of what a terminal or a page would obey, line ends included."""
    return "".join(c if c.isprintable() else " " for c in text)


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
    handlers = [_LogFile(path, mode="w", encoding="utf-8"), *others]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _log_exception(path, error, trace)


class _LogFile(logging.FileHandler):
    """A log that may lie on a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave the line to stderr: a traceback of logging's own, for each line, would hide it."""
        if not is_full(sys.exception()):
            super().handleError(record)
        elif os.environ.get(SILENT) and record.levelno >= logging.ERROR:
            sys.stderr.write(record.getMessage() + "\n")  # nowhere else to say it


def _log_exception(path: str, error: BaseException, trace: TracebackType | None) -> None:
    if is_full(error):
        job = " ".join(Path(path).with_suffix("").parts[1:])  # logs/RULE/VIDEO.log
        logging.info("what met the full disk", exc_info=(type(error), error, trace), extra={"log_only": True})
        logging.error("%s: %s", job, told_full(error))
        return
    if isinstance(error, KeyboardInterrupt):
        logging.info(INTERRUPTED)  # no fault: a person stopped the run
        return
    known = isinstance(error, UserError)
    logging.error("%s", error or type(error).__name__, exc_info=None if known else (type(error), error, trace))
