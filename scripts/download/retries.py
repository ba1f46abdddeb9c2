"""Which failed downloads to retry, and when too many failed to make a dataset."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scripts.core.errors import UserError
from scripts.core.files import read_json, write_json
from scripts.core.layout import RETRIES, record_path
from scripts.download.faults import RETRYABLE, TRANSIENT, recorded_options
from scripts.download.options import DownloadOptions

if TYPE_CHECKING:  # so that an edit of the types downloads nothing again
    from scripts.core.row_types import VideoRecord

RETRY_TARGETS = frozenset({"retry_failed", "rehydrate"})  # targets that retry temporary failures


def retry_numbers(results: Path, videos: Collection[str], to_retry: Collection[str]) -> dict[str, int]:
    """Return how often each video was retried, counting those in `to_retry` once more.

    The number is a parameter of a video's download, so a new number runs it again. It has its own file, because
    Snakemake deletes a video's record before it runs the job.
    """
    path = results / RETRIES
    numbers: dict[str, int] = read_json(path) if path.exists() else {}
    numbers = {video: number for video, number in numbers.items() if video in videos}
    return numbers | {video: numbers.get(video, 0) + 1 for video in videos if video in to_retry}


def videos_to_retry(
    results: Path, videos: Collection[str], options: DownloadOptions, retry_transient: bool
) -> set[str]:
    """Return the videos that were refused under other options, and with `retry_transient` temporary failures."""
    found = set()
    for video in videos:
        try:
            record: VideoRecord = read_json(record_path(results, video))
        except FileNotFoundError:  # not downloaded yet, or in progress
            continue
        except ValueError:  # damaged by a power failure
            found.add(video)
            continue
        under = record.get("refused_under", {})
        if under != recorded_options(under, options) or (retry_transient and record["status"] in TRANSIENT):
            found.add(video)
    return found


def write_retry_numbers(results: Path, numbers: dict[str, int]) -> None:
    """Keep the numbers for later runs."""
    if numbers:
        write_json(results / RETRIES, numbers)
    else:
        (results / RETRIES).unlink(missing_ok=True)


def check_outage(records: Iterable["VideoRecord"], max_failed_share: float) -> None:
    """Raise UserError if more than this share of the videos failed or were blocked."""
    videos = list(records)
    failed = [record for record in videos if record["status"] in RETRYABLE]
    if not videos or len(failed) <= max_failed_share * len(videos):
        return
    causes = Counter((urlsplit(r["url"]).hostname or "", r["status"], r["message"].split("\n")[0]) for r in failed)
    common = "; ".join(f"{count} x {host}: {status}: {text}" for (host, status, text), count in causes.most_common(3))
    blocked = any(record["status"] == "blocked" for record in failed)
    remedy = "If blocked: wait an hour, lower the rates in download.sites, or set download.cookies. " if blocked else ""
    raise UserError(
        f"{len(failed)} of {len(videos)} videos failed or were blocked, more than download.max_failed_share ="
        f" {max_failed_share:g}, so no dataset was made. Retry them with `snakemake retry_failed ...`, or set"
        f" download.max_failed_share to 1 to continue without them. {remedy}Most common: {common}"
    )
