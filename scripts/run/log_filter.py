"""Choose the records of Snakemake's log that a user sees. Snakemake's log file keeps all of them."""

import logging

from scripts.run.snakemake_internals import CHATTER, DIED_OF_SIGINT, FAILED, NOISE_EVENTS


def event_of(record: logging.LogRecord) -> str:
    """Return the name of a record's event; empty if it has none."""
    return str(getattr(record, "event", None) or "")


def is_shown(record: logging.LogRecord) -> bool:
    """Return whether a user needs this record."""
    return event_of(record) not in NOISE_EVENTS and not _is_hidden(record)


def _is_hidden(record: logging.LogRecord) -> bool:
    text = str(record.msg or "").strip()
    if record.levelno >= logging.WARNING and "CalledProcessError" in text:  # the end of the job's log says more
        return FAILED in text or DIED_OF_SIGINT in text
    return text.startswith(CHATTER)
