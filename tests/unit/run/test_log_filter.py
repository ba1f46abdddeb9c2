"""Users see messages and warnings of Snakemake, but no lines on planning and single jobs."""

import logging
from typing import Any

import pytest

from scripts.run.log_filter import event_of, is_shown


def record(message: object, level: int = logging.INFO, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    vars(made).update(fields)
    return made


@pytest.mark.parametrize(
    ("message", "level", "shown"),
    [
        ("Building DAG of jobs...", logging.INFO, False),
        ("Execute 2 jobs...", logging.INFO, False),
        ("Nothing to be done (all requested files are present).", logging.INFO, True),
        ("Error in configuration", logging.ERROR, True),
        ("CalledProcessError: Command 'x' returned non-zero exit status 1.", logging.ERROR, False),
        ("CalledProcessError: Command 'x' died with <Signals.SIGINT: 2>.", logging.ERROR, False),
        ("CalledProcessError: Command 'x' died with <Signals.SIGKILL: 9>.", logging.ERROR, True),
        ("CalledProcessError: it returned non-zero exit status 1", logging.INFO, True),
        (None, logging.INFO, True),
    ],
)
def test_messages_without_an_event(message: str | None, level: int, shown: bool) -> None:
    assert is_shown(record(message, level)) is shown


def test_events_of_single_jobs_are_hidden() -> None:
    assert not is_shown(record("rule x:", event="job_info")) and not is_shown(record("1 of 2", event="progress"))
    assert is_shown(record("an error", event="error")) and event_of(record("x")) == ""
