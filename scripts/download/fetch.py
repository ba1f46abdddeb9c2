"""Download one video from its page into the store."""

import logging
import traceback
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.download.attempts import retry_with_backoff
from scripts.download.completeness import check_whole
from scripts.download.deadline import Deadline, Meter, TooBig, TooSlow, watched
from scripts.download.faults import OK, RETRYABLE, Answer, Fault, NotYet, Rejected, chain_of, classify, out_of_time
from scripts.download.options import DownloadOptions
from scripts.download.private_hosts import allowed_hosts
from scripts.download.protocols import keep_http_formats
from scripts.download.rate_limits import Site
from scripts.download.resume import Partial, identity_of_pieces
from scripts.download.store import is_disk_fault
from scripts.download.ytdlp import make_client, video_options
from scripts.inputs.redact import provenance, redact
from scripts.media.probe import NotVideo, probe_media

if TYPE_CHECKING:  # so that an edit of the types downloads nothing again
    from scripts.core.row_types import MediaRecord

EXTENSIONS = {"mov": "mp4", "matroska": "mkv", "mpegts": "ts", "mpeg": "mpg", "asf": "wmv", "ogg": "ogv"}


@dataclass(frozen=True)
class Fetched:
    """The result of all attempts at a video; `media` is None if they failed."""

    media: "MediaRecord | None" = None
    source: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    yt_dlp: str = ""


def describe(media: Path) -> "MediaRecord":
    """Return the properties of a video file, its hash, and its name in the store; raise NotVideo if it is no video."""
    facts = probe_media(media)
    name = f"media.{EXTENSIONS.get(facts.container, facts.container)}"
    return cast("MediaRecord", facts.as_dict() | {"sha256": sha256_of(media), "file": name})


def fetch_video(url: str, folder: Path, site: Site, options: DownloadOptions) -> tuple[Fault, Fetched]:
    """Download a video into `folder`, with retries; return the last fault, or OK, and the result."""
    with allowed_hosts(options):
        job = _Job(url, folder, options)
        fault, attempts = retry_with_backoff(job.attempt, site, options)
    if fault.status not in RETRYABLE or not job.partial.size_bytes():
        job.partial.remove()
    return fault, Fetched(job.media, job.source, attempts, version("yt-dlp"))


class _Job:
    """The state that the attempts at one video share."""

    def __init__(self, url: str, folder: Path, options: DownloadOptions) -> None:
        self.url, self.folder, self.options = url, folder, options
        self.partial = Partial(folder / "partial")
        self.media: MediaRecord | None = None
        self.source: dict[str, Any] = {}
        self._broken: set[str] = set()  # formats whose file was not a complete video
        self._invalid: Fault | None = None

    def attempt(self, left_s: float) -> tuple[Fault, bool]:
        """Download once; return the fault, or OK, and whether the attempt made progress."""
        self._answer, self._fetching = Answer(), False
        self._meter = Meter(self.options.min_speed_kb_s * 1000, self.options.timeout_s)
        before = self.partial.size_bytes()
        try:
            with watched(left_s, self._meter):
                self._meter.bound_memory()
                info = self._fetch()
                self._meter.release()
                fault = self._keep(info)
            return fault, fault.status == "invalid_media"  # so that the other format is tried with `attempts: 1` too
        except Deadline:
            return out_of_time(self.options), False
        except TooSlow as slow:
            return Fault("failed", str(slow), retryable=True), False
        except TooBig as big:
            return Fault("rejected", str(big)), False
        except Exception as error:
            fault = self._explain(error)
        return fault, self.partial.size_bytes() > before

    def _explain(self, error: Exception) -> Fault:
        for cause in chain_of(error):
            if is_disk_fault(cause):
                raise UserError(
                    f"cannot write to the store ({self.folder}): {cause}; free disk space or fix its permissions"
                ) from error
            if type(cause).__name__ == "CookieLoadError":
                raise UserError(f"config key download.cookies: {cause}") from error
        if isinstance(error, UserError):
            raise error
        fault = classify(error, self._fetching, self._answer)
        trace = "".join(traceback.format_exception(error))
        logging.info("%s", redact(trace, self.url), extra={"log_only": True})
        if fault.http_status == 416:  # the partial file is longer than the video, so each retry would fail
            self.partial.clear()
        if self._invalid and "format is not available" in fault.message:
            return self._invalid
        message = redact(fault.message, self.url)
        for folder in (str(self.folder.absolute()), str(self.folder)):
            message = message.replace(folder, "store")
        if fault.status == "unsupported" and "ffmpeg" in message:
            message = f"{message} (formats that need ffmpeg for the download are not supported)"
        return replace(fault, message=message)

    def _fetch(self) -> dict[str, Any]:
        options = video_options(self.url, self.partial.folder, self.options, self._answer, self._meter)
        with make_client(self.options, options, self._answer) as client:
            self._meter.expect_page()
            info = client.extract_info(self.url, download=False)
            check_kind(info)
            keep_http_formats(info)
            others = [f for f in info.get("formats") or [] if f.get("format_id") not in self._broken]
            info["formats"] = others or info.get("formats")  # without another format, retry the same
            self._meter.got_page()
            chosen = client.process_ie_result(info, download=False)
            in_pieces = chosen.get("protocol") not in ("http", "https")
            self._fetching = True
            pieces = identity_of_pieces(client.urlopen, chosen) if in_pieces else ""
            format_id, protocol = chosen.get("format_id"), chosen.get("protocol")
            self.partial.begin({"format_id": format_id, "protocol": protocol, "pieces": pieces})
            client.partial = None if in_pieces else self.partial
            client.meter = self._meter
            result: dict[str, Any] = client.process_ie_result(info, download=True)
            return result | {"in_pieces": in_pieces}

    def _keep(self, info: dict[str, Any]) -> Fault:
        """Check the downloaded file and move it from `partial` into the store."""
        files = [Path(d["filepath"]) for d in info.get("requested_downloads") or [] if d.get("filepath")]
        if not files or not files[0].is_file():
            return Fault("failed", "yt-dlp reported success but left no file", retryable=True)
        try:
            media = describe(files[0])
            sent_whole = not info["in_pieces"] and self.partial.total_bytes() == media["bytes"]
            note = check_whole(files[0], media["stream"], info.get("duration"), info["in_pieces"], sent_whole)
        except NotVideo as error:
            first_time = not self._broken
            self._broken.add(str(info.get("format_id")))
            self.partial.clear()
            logging.warning("format %s: %s", info.get("format_id"), error)
            self._invalid = Fault("invalid_media", str(error))
            return replace(self._invalid, retryable=first_time)
        files[0].replace(self.folder / media["file"])
        self.media, self.source = media, provenance(info, self.url)
        return replace(OK, message=note)


def check_kind(info: dict[str, Any] | None) -> None:
    """Raise Rejected or NotYet if the page is not one finished recording."""
    if not info or info.get("_type", "video") != "video":
        raise Rejected("the page holds a playlist or several videos; list them with `snakemake expand_sources`")
    state = info.get("live_status")
    if state in ("is_upcoming", "post_live"):
        raise NotYet(f"{state}: there is no finished recording yet")
    if info.get("is_live") or state == "is_live":
        raise Rejected("live streams are not supported; add the video again when its recording is published")
