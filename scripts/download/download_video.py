"""Bring one video into results/, or say why it cannot be had."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import clear_parts, link_media, write_json
from scripts.core.layout import RECORD
from scripts.core.locks import hold_folder
from scripts.download.faults import OK, TRANSIENT, Fault, refused_under
from scripts.download.fetch import describe, fetch_anew
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import Site, site_of
from scripts.download.store import entry_of, other_versions, read_stored, version_of
from scripts.inputs.redact import public_url
from scripts.inputs.videos import is_local
from scripts.job.start import start_job
from scripts.media.probe import NotVideo

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


CLOCKS = ("began_at", "recorded_at")  # kept in the store, and not in results/, where equal runs write equal bytes


def download_video(video: str, url: str, out: Path, store: Path, options: DownloadOptions) -> None:
    """Write `out`/video.json and, if the video can be had, link `out`/media/media.<ext>."""
    (out / "media").mkdir(parents=True, exist_ok=True)
    if is_local(url):
        record, media = _describe_local(Path(url)), Path(url)
        _link(record, media, out)
    else:
        entry = entry_of(store, url)
        with hold_folder(entry):  # until it is linked, so that no other run deletes it in between (keep_media: false)
            record, media = fetch(url, entry, site_of(url, store, options.sites), options)
            _link(record, media, out)
    record |= {"video": video, "url": public_url(url)}
    write_json(out / RECORD, {key: value for key, value in record.items() if key not in CLOCKS})
    logging.info("%s: %s %s", video, record["status"], record["message"])


def _link(record: dict[str, Any], media: Path, out: Path) -> None:
    if record["status"] == "ok":
        link_media(media, out / "media" / record["media"]["file"])


def _describe_local(path: Path) -> dict[str, Any]:
    began = _now()
    try:
        return _record(OK, began, {"media": describe(path)})
    except NotVideo as error:
        return _record(Fault("invalid_media", str(error)), began, {})


def fetch(url: str, entry: Path, site: Site, options: DownloadOptions) -> tuple[dict[str, Any], Path]:
    """Return record and path of the stored video, fetching it first if this URL in this format is not stored yet.

    A stored video is never fetched again or removed; failures are not stored, so that a later run tries again. If the
    site no longer has it, what is stored of it in another format stands in.
    """
    version, began = version_of(entry, options), _now()
    record = read_stored(version)
    if record:
        logging.info("in the store since %s: %s", record["recorded_at"], version)
        return record, version / record["media"]["file"]
    version.mkdir(exist_ok=True)
    fault, found = fetch_anew(url, version, site, options)
    under = {"refused_under": refused} if (refused := refused_under(fault.status, options)) else {}
    record = _record(fault, began, found | under)
    if fault.status == "ok":
        clear_parts(version / RECORD)
        write_json(version / RECORD, record)
    elif fault.status not in TRANSIENT:
        for stored, folder in other_versions(version):
            said = f"{fault.status}: {fault.message}; in its place: what was fetched on {stored['recorded_at'][:10]}"
            return stored | under | {"message": said}, folder / stored["media"]["file"]
    return record, version / str(record["media"] and record["media"]["file"])


def _record(fault: Fault, began_at: str, found: dict[str, Any]) -> dict[str, Any]:
    facts = {"status": fault.status, "message": fault.message, "http_status": fault.http_status, "attempts": 0}
    return {"began_at": began_at, "recorded_at": _now(), "media": None, "source": {}} | facts | found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    start_job(snakemake.log[0])
    download_video(
        video=snakemake.wildcards.video,
        url=snakemake.params.url,
        out=Path(snakemake.output.record).parent,
        # Not parameters, because another number of attempts or another place of the store must not download again.
        store=Path(snakemake.config["store"]),
        options=DownloadOptions.from_config(snakemake.config["download"]),
    )
