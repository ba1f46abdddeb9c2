"""Log a job to its own file and end it with a message a person can act on."""

import logging
import sys
from pathlib import Path
from types import TracebackType

from scripts._room import is_full, told_full


class UserError(Exception):
    """What failed, on what, why, and what to do: shown without a traceback, because the cause is outside the code."""


def log_to(path: str) -> None:
    """Send log lines and the reason of a failure to `path` and, but for those marked `log_only`, to stderr."""
    shown = logging.StreamHandler()
    shown.addFilter(lambda record: not getattr(record, "log_only", False))
    handlers: list[logging.Handler] = [_LogFile(path, mode="w", encoding="utf-8"), shown]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _log_exception(path, error, trace)


class _LogFile(logging.FileHandler):
    """A log that may lie on a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave the line to stderr: a traceback of logging's own, for each line, would hide it."""
        if not is_full(sys.exception()):
            super().handleError(record)


def _log_exception(path: str, error: BaseException, trace: TracebackType | None) -> None:
    if is_full(error):
        job = " ".join(Path(path).with_suffix("").parts[1:])  # logs/RULE/VIDEO.log
        logging.info("what met the full disk", exc_info=(type(error), error, trace), extra={"log_only": True})
        logging.error("%s: %s", job, told_full(error))
        return
    known = isinstance(error, UserError | KeyboardInterrupt)
    logging.error("%s", error or type(error).__name__, exc_info=None if known else (type(error), error, trace))
