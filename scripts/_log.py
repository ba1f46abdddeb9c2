"""Log a job to its own file and end it with a message a person can act on."""

import logging
import sys
from types import TracebackType


class UserError(Exception):
    """What failed, on what, why, and what to do: shown without a traceback, because the cause is outside the code."""


def log_to(path: str) -> None:
    """Send log lines and the reason of a failure to `path` and, but for those marked `log_only`, to stderr."""
    shown = logging.StreamHandler()
    shown.addFilter(lambda record: not getattr(record, "log_only", False))
    handlers: list[logging.Handler] = [logging.FileHandler(path, mode="w", encoding="utf-8"), shown]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    known = issubclass(kind, UserError | KeyboardInterrupt)
    logging.error("%s", error or kind.__name__, exc_info=None if known else (kind, error, trace))
