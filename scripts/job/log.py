"""Log a job to its own file, and end it with a message that a user can act on."""

import logging
import os
import sys
from pathlib import Path
from types import TracebackType

from scripts.core.characters import printable_lines
from scripts.core.errors import UserError
from scripts.job.disk import full_disk_message, is_full

# Set by a run that draws its progress. Lines of its jobs on the terminal would break the drawing.
SILENT = "REELSIEVE_SILENT_JOBS"
INTERRUPTED = "interrupted"  # the last line of a job that was stopped with its run


def log_to(path: str) -> None:
    """Log to `path` and, unless the run draws its progress, to stderr. Uncaught exceptions are logged, too."""
    _log(path, *([] if os.environ.get(SILENT) else [_to_stderr()]))


def log_and_show(path: str) -> None:
    """Log to `path` and always to stderr. For jobs that the user requested by name."""
    _log(path, _to_stderr())


def _to_stderr() -> logging.Handler:
    """Return a handler for all records that are not marked `log_only`."""
    shown = logging.StreamHandler()
    shown.addFilter(lambda record: not getattr(record, "log_only", False))
    return shown


def _log(path: str, *others: logging.Handler) -> None:
    handlers = [_LogFile(path, mode="w", encoding="utf-8"), *others]
    for handler in handlers:
        handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _log_exception(path, error, trace)


class _Printable(logging.Formatter):
    """A form of log lines without control characters, which texts of sites and names of files can contain."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return printable_lines(super().format(record))


class _LogFile(logging.FileHandler):
    """A log file whose disk may be full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """On a full disk, write errors to stderr. By default, logging prints a traceback for each line."""
        if not is_full(sys.exception()):
            super().handleError(record)
        elif os.environ.get(SILENT) and record.levelno >= logging.ERROR:
            sys.stderr.write(printable_lines(record.getMessage()) + "\n")  # the only place left


def _log_exception(path: str, error: BaseException, trace: TracebackType | None) -> None:
    if is_full(error):
        job = " ".join(Path(path).with_suffix("").parts[1:])  # logs/RULE/VIDEO.log
        logging.info("where the disk was full", exc_info=(type(error), error, trace), extra={"log_only": True})
        logging.error("%s: %s", job, full_disk_message(error))
        return
    if isinstance(error, KeyboardInterrupt):
        logging.info(INTERRUPTED)  # not an error: the user stopped the run
        return
    known = isinstance(error, UserError)
    logging.error("%s", error or type(error).__name__, exc_info=None if known else (type(error), error, trace))
