"""Describe failed jobs and failed downloads in a few lines."""

from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.characters import one_line
from scripts.core.errors import Damaged
from scripts.core.files import read_json
from scripts.job.log import INTERRUPTED

if TYPE_CHECKING:
    from scripts.core.row_types import VideoRecord

LAST_LINES, LONGEST_LINE = 12, 1000  # of a failed job's log


def describe_failed_job(event: Mapping[str, Any], video: str) -> list[str]:
    """Return lines on Snakemake's event `job_error`: rule, video, the end of the job's log, and its path.

    Return none for a job that was interrupted with its run, and for one whose submission failed because of another job.
    """
    lines = log_ends(event["log"] or ())
    if was_interrupted(lines):
        return []
    if event.get("indent") and not any(" ERROR " in line for line in lines):
        return []
    return [f"{event['rule_name']} failed" + (f" on video {video}" if video else ""), *lines]


def describe_failed_submission(event: Mapping[str, Any]) -> list[str]:
    """Return lines on Snakemake's event `group_error`."""
    return ["a submission failed:", *log_ends(event["aux_logs"])]


def was_interrupted(log_lines: Iterable[str]) -> bool:
    """Return whether the end of a job's log shows that the job was stopped with its run."""
    return any(line.endswith(f" INFO {INTERRUPTED}") for line in log_lines)


def log_ends(logs: Iterable[str]) -> list[str]:
    """Return the last lines of each log, and its path."""
    lines = []
    for path in map(Path, logs):
        if not path.is_file():
            lines.append(f"  it wrote no log ({path}); run again with --verbose to see its output")
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            last = deque(file, LAST_LINES)
        lines += [f"  {one_line(line, LONGEST_LINE)}" for line in last if line.strip()]
        lines.append(f"  log: {path.absolute()}")
    return lines


def describe_failed_download(path: Path) -> str:
    """Return status and message of a video record as a line; empty if the download succeeded."""
    try:
        record: VideoRecord = read_json(path)
    except (OSError, Damaged):
        return ""  # deleted since, or a job says what is wrong with it
    return "" if record["status"] == "ok" else one_line(f"{record['status']}: {record['message']}")
