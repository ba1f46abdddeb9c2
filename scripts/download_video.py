"""Bring one video into results/, or say why it cannot be had."""

import errno
import logging
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts._files import link_media, sha256_of, write_json
from scripts._log import UserError, log_to
from scripts._media import NotVideo, probe_media
from scripts._publish import provenance, public_url, redact
from scripts._store import entry_of, locked, read_stored
from scripts._videos import is_local
from scripts._ytdlp import WORTH_RETRYING, Fault, Rejected, base_options, classify

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

EXTENSIONS = {"mov": "mp4", "matroska": "mkv", "mpegts": "ts", "mpeg": "mpg", "asf": "wmv", "ogg": "ogv"}
DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class Deadline(BaseException):
    """The time for a video is up; no handler in yt-dlp may swallow this."""


def download_video(video: str, url: str, out: Path, store: Path, options: dict[str, Any]) -> None:
    """Write `out`/video.json and, if the video can be had, link `out`/media/media.<ext>."""
    (out / "media").mkdir(parents=True, exist_ok=True)
    if is_local(url):
        record, media = _describe(Path(url)), Path(url)
    else:
        record, media = fetch(url, store, options)
    if record["status"] == "ok":
        record["media"]["file"] = f"media.{extension(record['media']['container'])}"
        link_media(media, out / "media" / record["media"]["file"])
    record |= {"video": video, "url": public_url(url)}
    write_json(out / "video.json", record)
    logging.info("%s: %s %s", video, record["status"], record["message"])


def extension(container: str) -> str:
    """Return the usual file extension of a container as ffmpeg names it."""
    return EXTENSIONS.get(container, container)


def _describe(media: Path) -> dict[str, Any]:
    """Return the record of a file: its facts, or why it is no video."""
    try:
        facts = probe_media(media)
    except NotVideo as error:
        return _record(Fault("invalid_media", str(error), None), attempts=0)
    record = _record(Fault("ok", "", None), attempts=0)
    return record | {"media": facts.as_dict() | {"sha256": sha256_of(media)}}


def _record(fault: Fault, attempts: int) -> dict[str, Any]:
    return {
        "status": fault.status,
        "message": fault.message,
        "http_status": fault.http_status,
        "attempts": attempts,
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "media": None,
        "source": {},
    }


def fetch(url: str, store: Path, options: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    """Return record and path of the stored video, fetching it first if this URL in this format is not stored yet.

    A stored video is never fetched again or removed; failures are not stored, so that a later run tries again.
    """
    entry = entry_of(store, url, options["max_height_px"])
    with locked(entry):
        record = read_stored(entry)
        if record:
            logging.info("already in the store: %s", entry)
        else:
            record = _fetch_anew(url, entry, options) | {"yt_dlp": version("yt-dlp")}
            if record["status"] == "ok":
                write_json(entry / "video.json", record)
            if record["status"] not in WORTH_RETRYING:
                shutil.rmtree(entry / "partial", ignore_errors=True)  # nothing in it will be resumed
        return record, entry / str(record["media"] and record["media"]["file"])


def _fetch_anew(url: str, entry: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Try until it is fetched, hopeless, or time is up; return the record."""
    partial = entry / "partial"
    fault, attempt = Fault("failed", "no attempt was made", None), 0
    try:
        with _deadline(options["deadline_s"]):
            for attempt in range(1, options["attempts"] + 1):
                try:
                    info = _attempt(url, partial, options)
                    return _record(Fault("ok", "", None), attempt) | _keep(info, url, partial, entry)
                except Exception as error:
                    _stop_if_local(error, entry)
                    fault = classify(error)
                    fault = replace(fault, message=redact(fault.message, url))
                if fault.http_status == 416:  # the partial file is longer than the video: it would fail for ever
                    shutil.rmtree(partial, ignore_errors=True)
                if fault.status not in WORTH_RETRYING or attempt == options["attempts"]:
                    break
                wait_s = options["wait_s"] * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
                logging.warning("attempt %d: %s: %s; again in %.1f s", attempt, fault.status, fault.message, wait_s)
                time.sleep(wait_s)
    except Deadline:
        fault = Fault("failed", f"not finished within deadline_s = {options['deadline_s']:g} s", fault.http_status)
    return _record(fault, attempt)


def _stop_if_local(error: BaseException, entry: Path) -> None:
    """End the job if the fault is this machine's disk: it would hit every video, and none is to blame."""
    cause: BaseException | None = error
    while cause is not None:
        denied = isinstance(cause, PermissionError) and cause.filename  # without a file it is the network's refusal
        if denied or (isinstance(cause, OSError) and cause.errno in DISK_FAULTS):
            raise UserError(f"cannot write to the store ({entry}): {cause}; free or open it and run again") from error
        cause = cause.__cause__ or cause.__context__


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise Deadline in this thread after so many seconds; works in stalls that no timeout of yt-dlp covers."""

    def expire(signum: int, frame: Any) -> None:
        raise Deadline

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _attempt(url: str, partial: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Fetch once into `partial`; return yt-dlp's description of what it fetched."""
    from yt_dlp import YoutubeDL

    partial.mkdir(exist_ok=True)
    with YoutubeDL(ytdlp_options(partial, options)) as ytdlp:
        info = ytdlp.extract_info(url, download=False)
        if not info or info.get("_type", "video") != "video":
            raise Rejected("the page holds a playlist or several videos; list them with `snakemake expand_sources`")
        if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming", "post_live"):
            raise Rejected(
                f"a live stream ({info.get('live_status') or 'is_live'}); list it again once it is a recording"
            )
        result: dict[str, Any] = ytdlp.process_ie_result(info, download=True)
        return result


def ytdlp_options(partial: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Return yt-dlp's options for one video: video only, no merge, fixed names, no hole passed over in silence."""
    limit = options["max_size_mb"] * 1_000_000

    def check_size(progress: dict[str, Any]) -> None:
        size = max(progress.get(k) or 0 for k in ("downloaded_bytes", "total_bytes"))
        if size > limit:
            raise Rejected(f"larger than max_size_mb = {options['max_size_mb']:g}: {size / 1e6:.1f} MB")

    return base_options(options["timeout_s"]) | {
        "format": "bv[format_id!$=-sr]/b[format_id!$=-sr]/bv*/b",  # -sr: upscaled by the site, not filmed
        "format_sort": [f"res:{options['max_height_px']}", "fps:30", "vcodec:h264", "proto:https"],
        "outtmpl": {"default": f"{str(partial).replace('%', '%%')}/media.%(format_id)s.%(ext)s"},
        "noplaylist": True,
        "playlist_items": "1:2",
        "retries": 10,
        "fragment_retries": 10,
        "retry_sleep_functions": {k: (lambda n: min(30.0, options["wait_s"] * 2**n)) for k in ("http", "fragment")},
        "skip_unavailable_fragments": False,
        "updatetime": False,
        # yt-dlp would run ffmpeg on unchecked files and playlists, past every limit set here. Extraction reads what
        # it leaves unfixed just as well; what only ffmpeg could fetch fails with a message.
        "fixup": "never",
        "ffmpeg_location": str(partial / "none"),
        "progress_hooks": [check_size],
    }


def _keep(info: dict[str, Any], url: str, partial: Path, entry: Path) -> dict[str, Any]:
    """Check what was fetched and move it from `partial` into the store; return what changes in the record."""
    files = [Path(d["filepath"]) for d in info.get("requested_downloads") or [] if d.get("filepath")]
    if not files or not files[0].is_file():
        return {"status": "failed", "message": "yt-dlp reported success but left no file"}
    described = _describe(files[0])
    changes = {k: described[k] for k in ("status", "message", "media")}
    if described["status"] == "ok":
        described["media"]["file"] = f"media.{extension(described['media']['container'])}"
        files[0].replace(entry / described["media"]["file"])
        changes["source"] = provenance(info, url)
    return changes


if __name__ == "__main__":
    log_to(snakemake.log[0])
    download_video(
        video=snakemake.wildcards.video,
        url=snakemake.params.url,
        out=Path(snakemake.output.record).parent,
        # Not parameters, because another number of attempts or another place of the store must not download again.
        store=Path(snakemake.config["store"]),
        options=snakemake.config["download"],
    )
