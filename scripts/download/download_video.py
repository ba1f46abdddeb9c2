"""Download one video, or link a local one, and record the outcome."""

import logging
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from scripts.core.characters import as_recorded
from scripts.core.files import clear_parts, link_media, write_json
from scripts.core.layout import MEDIA, RECORD
from scripts.core.locks import hold_folder
from scripts.core.shared_files import refuse_link
from scripts.download.deadline import Deadline, Meter, watched
from scripts.download.faults import OK, TRANSIENT, Fault, out_of_time, refused_under
from scripts.download.fetch import Fetched, describe, fetch_video
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import Site, site_of
from scripts.download.store import Stored, entry_of, other_versions, read_stored, version_of
from scripts.inputs.redact import public_url
from scripts.inputs.urls import is_local, source_of
from scripts.job.start import start_job
from scripts.media.probe import MediaFacts, NotVideo, probe_media

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from scripts.core.row_types import MediaRecord, VideoRecord


CLOCKS = ("began_at", "recorded_at")  # only in the store: equal runs write equal bytes to results/


def download_video(video: str, url: str, out: Path, store: Path, options: DownloadOptions) -> None:
    """Write `out`/video.json and, if the download succeeds, link `out`/media/media.<ext>."""
    (out / MEDIA).mkdir(parents=True, exist_ok=True)
    source = source_of(url)
    if is_local(url):
        record = _describe_local(Path(url), options)
        _link(record, Path(url), out)
    else:
        entry = entry_of(store, url)
        with hold_folder(entry):  # until it is linked, so that no other run deletes it before (keep_media: false)
            record, media = fetch_into_store(source, entry, site_of(source, store, options.sites), options)
            _link(record, media, out)
    record["video"], record["url"] = video, public_url(source)
    write_json(out / RECORD, {key: value for key, value in record.items() if key not in CLOCKS})
    logging.info("%s: %s %s", video, record["status"], record["message"])


def _link(record: "VideoRecord", media: Path | None, out: Path) -> None:
    if record["media"] and media:
        link_media(media, out / MEDIA / record["media"]["file"])


def _describe_local(path: Path, options: DownloadOptions) -> "VideoRecord":
    began_at, media, fault = _now(), None, OK
    try:
        with watched(options.deadline_s, Meter(0, options.timeout_s)):
            media = describe(path)
    except NotVideo as error:
        fault = Fault("invalid_media", str(error))
    except Deadline:
        fault = out_of_time(options)
    return _record(fault, began_at, Fetched(media=media))


def fetch_into_store(url: str, entry: Path, site: Site, options: DownloadOptions) -> "tuple[VideoRecord, Path | None]":
    """Return the record and path of a video in the store; download it if this URL in this format is not there.

    A stored video is never downloaded again or removed. Failures are not stored, so a later run retries them. If the
    site no longer has the video, a stored one in another format is used.
    """
    version, began_at = version_of(entry, options), _now()
    if stored := read_stored(version):
        logging.info("in the store since %s: %s", stored.record["recorded_at"], version)
        return described_anew(stored), stored.path
    refuse_link(version)
    version.mkdir(exist_ok=True)
    fault, fetched = fetch_video(url, version, site, options)
    record = _record(fault, began_at, fetched)
    record["yt_dlp"] = fetched.yt_dlp
    if refused := refused_under(fault.status, options):
        record["refused_under"] = refused
    if fault.status == "ok" and fetched.media:
        clear_parts(version / RECORD)
        write_json(version / RECORD, record)
        return record, version / fetched.media["file"]
    if fault.status not in TRANSIENT:
        for stored in other_versions(version):
            day = stored.record["recorded_at"][:10]
            replaced = described_anew(stored)
            replaced["message"] = f"{fault.status}: {fault.message}; used instead: the file downloaded on {day}"
            if refused:
                replaced["refused_under"] = refused
            return replaced, stored.path
    return record, None


def described_anew(stored: Stored) -> "VideoRecord":
    """Return the record of a stored video; if an earlier version wrote it, with the facts that it lacks."""
    if {field.name for field in fields(MediaFacts)} <= set(stored.media):
        return stored.record
    try:
        facts = probe_media(stored.path).as_dict()
    except NotVideo as error:
        return {**stored.record, "status": "invalid_media", "message": str(error), "media": None}
    return {**stored.record, "media": cast("MediaRecord", {**stored.media, **facts})}


def _record(fault: Fault, began_at: str, fetched: Fetched) -> "VideoRecord":
    return {
        "status": fault.status,
        "message": as_recorded(fault.message),
        "http_status": fault.http_status,
        "attempts": fetched.attempts,
        "media": fetched.media,
        "source": as_recorded(fetched.source),
        "began_at": began_at,
        "recorded_at": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    start_job(snakemake.log[0])
    download_video(
        video=snakemake.wildcards.video,
        url=snakemake.params.url,
        out=Path(snakemake.output.record).parent,
        store=Path(snakemake.config["store"]),
        options=DownloadOptions.from_config(snakemake.config["download"]),
    )
