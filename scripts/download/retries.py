"""What failed for reasons that may pass: how much of it is too much, and how it is tried again."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from scripts.core.errors import UserError
from scripts.core.files import read_json, write_json
from scripts.core.layout import RETRIES, record_path
from scripts.download.faults import TRANSIENT, noted
from scripts.download.options import DownloadOptions

ASKING_AGAIN = frozenset({"retry_failed", "rehydrate"})  # targets that try again what may come now
OUTAGE = frozenset({"blocked", "failed"})


def retry_numbers(results: Path, videos: Collection[str], asked: Collection[str]) -> dict[str, int]:
    """Return how often each video was asked for again, those in `asked` once more.

    The number is a parameter of a video's download, so that asking again runs it again. It stands in a file of its
    own, since Snakemake deletes a video's record before it runs the job.
    """
    path = results / RETRIES
    numbers: dict[str, int] = read_json(path) if path.exists() else {}
    numbers = {video: number for video, number in numbers.items() if video in videos}
    return numbers | {video: numbers.get(video, 0) + 1 for video in videos if video in asked}


def to_ask_again(results: Path, videos: Collection[str], options: DownloadOptions, again: bool) -> set[str]:
    """Return the videos that were refused under other `options`, and with `again` those whose failure may pass."""
    found = set()
    for video in videos:
        try:
            told = read_json(record_path(results, video))
        except FileNotFoundError:  # none yet, or being fetched
            continue
        except ValueError:  # a power cut spoilt it
            found.add(video)
            continue
        under = told.get("refused_under", {})
        if under != noted(under, options) or (again and told["status"] in TRANSIENT):
            found.add(video)
    return found


def write_retry_numbers(results: Path, numbers: dict[str, int]) -> None:
    """Keep the numbers for the runs to come."""
    if numbers:
        write_json(results / RETRIES, numbers)
    else:
        (results / RETRIES).unlink(missing_ok=True)


def check_outage(records: Iterable[Path], max_failed_share: float) -> None:
    """Raise UserError if more than this share of the videos failed for a reason that may pass."""
    told = [read_json(path) for path in records]
    failed = [record for record in told if record["status"] in OUTAGE]
    if not told or len(failed) <= max_failed_share * len(told):
        return
    causes = Counter((urlsplit(r["url"]).hostname or "", r["status"], r["message"].split("\n")[0]) for r in failed)
    mostly = "; ".join(f"{count} x {host}: {status}: {said}" for (host, status, said), count in causes.most_common(3))
    blocked = any(record["status"] == "blocked" for record in failed)
    remedy = "Blocked: wait an hour, ask slower (download.sites), or send download.cookies. " if blocked else ""
    raise UserError(
        f"{len(failed)} of {len(told)} videos failed or were blocked, more than download.max_failed_share ="
        f" {max_failed_share:g}, so no dataset is made of the rest. Try them again with the target retry_failed, as in"
        f" `snakemake retry_failed ...`, or set download.max_failed_share to 1 to go on without them."
        f" {remedy}Mostly: {mostly}"
    )
