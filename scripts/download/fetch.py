"""Fetch one video from its page into the store."""

import logging
import traceback
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.files import sha256_of
from scripts.download.attempts import retry_with_backoff
from scripts.download.completeness import check_whole
from scripts.download.deadline import Deadline, Meter, TooSlow, watched
from scripts.download.faults import AGAIN, OK, Answer, Fault, NotYet, Rejected, chain_of, classify
from scripts.download.options import DownloadOptions
from scripts.download.private_hosts import allowed_hosts
from scripts.download.rate_limits import Site
from scripts.download.resume import Partial, identity_of_pieces
from scripts.download.store import is_disk_fault
from scripts.download.ytdlp import make_client, video_options
from scripts.inputs.redact import provenance, redact
from scripts.media.probe import NotVideo, probe_media

EXTENSIONS = {"mov": "mp4", "matroska": "mkv", "mpegts": "ts", "mpeg": "mpg", "asf": "wmv", "ogg": "ogv"}


def describe(media: Path) -> dict[str, Any]:
    """Return what decoding says of a file, its hash, and the name it is to have; raise NotVideo if it is none."""
    facts = probe_media(media)
    name = f"media.{EXTENSIONS.get(facts.container, facts.container)}"
    return facts.as_dict() | {"sha256": sha256_of(media), "file": name}


def fetch_anew(url: str, folder: Path, site: Site, options: DownloadOptions) -> tuple[Fault, dict[str, Any]]:
    """Fetch a video into `folder` with as many attempts as it takes and is granted; return what the record holds."""
    with allowed_hosts(options):
        job = _Job(url, folder, options)
        fault, attempts = retry_with_backoff(job.attempt, site, options)
    if fault.status not in AGAIN or not job.partial.size_bytes():
        job.partial.remove()
    return fault, job.found | {"attempts": attempts, "yt_dlp": version("yt-dlp")}


class _Job:
    """What the attempts at one video share."""

    def __init__(self, url: str, folder: Path, options: DownloadOptions) -> None:
        self.url, self.folder, self.options = url, folder, options
        self.partial = Partial(folder / "partial")
        self.found: dict[str, Any] = {}
        self._spoilt: set[str] = set()  # formats whose file was no whole video
        self._invalid: Fault | None = None

    def attempt(self, left_s: float) -> tuple[Fault, bool]:
        """Fetch once; return what happened, and whether new bytes came in."""
        self._answer, self._fetching = Answer(), False
        self._meter = Meter(self.options.min_speed_kb_s * 1000, self.options.timeout_s)
        before = self.partial.size_bytes()
        try:
            with watched(left_s, self._meter):
                info = self._fetch()
            fault = self._keep(info)
            return fault, fault.status == "invalid_media"  # the other format is tried however few attempts there are
        except Deadline:
            return Fault("failed", f"not finished within deadline_s = {self.options.deadline_s:g} s"), False
        except TooSlow as slow:
            return Fault("failed", str(slow), again=True), False
        except Exception as error:
            fault = self._explain(error)
        return fault, self.partial.size_bytes() > before

    def _explain(self, error: Exception) -> Fault:
        for cause in chain_of(error):
            if is_disk_fault(cause):
                raise UserError(f"cannot write to the store ({self.folder}): {cause}; free or open it") from error
            if type(cause).__name__ == "CookieLoadError":
                raise UserError(f"config key download.cookies: {cause}") from error
        if isinstance(error, UserError):
            raise error
        fault = classify(error, self._fetching, self._answer)
        trace = "".join(traceback.format_exception(error))
        logging.info("%s", redact(trace, self.url), extra={"log_only": True})
        if fault.http_status == 416:  # the partial file is longer than the video: it would fail for ever
            self.partial.clear()
        if self._invalid and "format is not available" in fault.message:
            return self._invalid
        said = redact(fault.message, self.url)
        for folder in (str(self.folder.absolute()), str(self.folder)):
            said = said.replace(folder, "store")
        if fault.status == "unsupported" and "ffmpeg" in said:
            said = f"{said} (what only ffmpeg can fetch or merge is not fetched)"
        return replace(fault, message=said)

    def _fetch(self) -> dict[str, Any]:
        options = video_options(self.url, self.partial.folder, self.options, self._answer, self._meter)
        with make_client(self.options, options, self._answer) as client:
            self._meter.expect_page()
            info = client.extract_info(self.url, download=False)
            _check_kind(info)
            others = [f for f in info.get("formats") or [] if f.get("format_id") not in self._spoilt]
            info["formats"] = others or info.get("formats")  # with no other format, the same may come whole this time
            self._meter.got_page()
            chosen = client.process_ie_result(info, download=False)
            in_pieces = chosen.get("protocol") not in ("http", "https")
            self._fetching = True
            pieces = identity_of_pieces(client.urlopen, chosen) if in_pieces else ""
            self.partial.begin({key: chosen.get(key) for key in ("format_id", "protocol")} | {"pieces": pieces})
            client.partial = None if in_pieces else self.partial
            client.meter = self._meter
            result: dict[str, Any] = client.process_ie_result(info, download=True)
            return result | {"in_pieces": in_pieces}

    def _keep(self, info: dict[str, Any]) -> Fault:
        """Check what was fetched and move it from `partial` into the store."""
        files = [Path(d["filepath"]) for d in info.get("requested_downloads") or [] if d.get("filepath")]
        if not files or not files[0].is_file():
            return Fault("failed", "yt-dlp reported success but left no file", again=True)
        try:
            media = describe(files[0])
            check_whole(files[0], media["stream"], info.get("duration"), info["in_pieces"])
        except NotVideo as error:
            first_time = not self._spoilt
            self._spoilt.add(str(info.get("format_id")))
            self.partial.clear()
            logging.warning("format %s: %s", info.get("format_id"), error)
            self._invalid = Fault("invalid_media", str(error))
            return replace(self._invalid, again=first_time)
        files[0].replace(self.folder / media["file"])
        self.found = {"media": media, "source": provenance(info, self.url)}
        return OK


def _check_kind(info: dict[str, Any] | None) -> None:
    """Raise if the page is not one finished recording."""
    if not info or info.get("_type", "video") != "video":
        raise Rejected("the page holds a playlist or several videos; list them with `snakemake expand_sources`")
    state = info.get("live_status")
    if state in ("is_upcoming", "post_live"):
        raise NotYet(f"{state}: there is no finished recording yet")
    if info.get("is_live") or state == "is_live":
        raise Rejected("a live stream has no end; list it again once it is a recording")
