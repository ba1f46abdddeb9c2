"""Choose the records of Snakemake's log that a user sees. Snakemake's log file keeps all of them."""

import logging

# Events of each job and of planning. The display shows their content.
HIDDEN_EVENTS = frozenset(
    {"workflow_started", "job_info", "job_started", "job_finished", "progress", "shellcmd", "resources_info",
     "run_info", "group_info"}
)  # fmt: skip
# Beginnings of messages without an event that nobody needs. All others are shown.
HIDDEN_MESSAGES = (
    "Assuming unrestricted shared filesystem", "Building DAG of jobs", "Using shell:", "Conda environments: ignored",
    "Group jobs: inactive", "Select jobs to execute", "Execute ", "host: ", "Elapsed time", "Updating checkpoint",
    "DAG of jobs will be updated", "Removing temporary output", "Touching output file", "Removing output files",
    "WorkflowError:\nAt least one job did not complete successfully",
)  # fmt: skip


def event_of(record: logging.LogRecord) -> str:
    """Return the name of a record's event; empty if it has none."""
    return str(getattr(record, "event", None) or "")


def is_shown(record: logging.LogRecord) -> bool:
    """Return whether a user needs this record."""
    return event_of(record) not in HIDDEN_EVENTS and not _is_hidden(record)


def _is_hidden(record: logging.LogRecord) -> bool:
    text = str(record.msg or "").strip()
    if record.levelno >= logging.WARNING and "CalledProcessError" in text:  # the end of the job's log says more
        return "returned non-zero exit status" in text or "died with <Signals.SIGINT" in text
    return text.startswith(HIDDEN_MESSAGES)
