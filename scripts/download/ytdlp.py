"""Call yt-dlp: its options, and a client that keeps error responses and checks partial files."""

import io
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

from scripts.core.characters import MOST_CHARACTERS, one_line
from scripts.core.errors import UserError
from scripts.download.bounds import bound_answer, bounded_handlers
from scripts.download.deadline import Meter
from scripts.download.faults import Answer, Rejected, RetryLater, chain_of, retry_after_s
from scripts.download.options import DownloadOptions
from scripts.download.private_hosts import PrivateHost
from scripts.download.protocols import http_only
from scripts.download.resume import Changed, Partial
from scripts.inputs.redact import redact

# The options of yt-dlp that users may set (download.ytdlp); the schema has the same, with types. The others are set
# below, or they run programs, write files or open local ones.
OWN_OPTIONS = frozenset({
    "extractor_args", "format", "format_sort", "http_chunk_size", "js_runtimes",
    "ratelimit", "sleep_interval_requests", "source_address",
})  # fmt: skip
FORMAT = "bv[format_id!$=-sr]/b[format_id!$=-sr]/bv*/b"  # video alone, to merge nothing; -sr: upscaled by the site
DENO_FOLDER = Path(".snakemake/deno")
COOKIE_HEADER = "# Netscape HTTP Cookie File"  # yt-dlp refuses a file without it
REQUEST_RETRIES = 3  # by yt-dlp, of one request or fragment; our attempts start again with the page
LONGEST_REQUEST_WAIT_S = 30.0


class Logger:
    """Write yt-dlp's messages to the job's log, warnings too: on YouTube they name the cause."""

    def __init__(self, url: str) -> None:
        """Remove the secrets of this URL from the log."""
        self._url = url

    def debug(self, message: str) -> None:
        """Log messages that are not meant for yt-dlp's developers."""
        if not message.startswith("[debug]"):
            self._log(logging.INFO, message)

    def warning(self, message: str) -> None:
        """Log a warning."""
        self._log(logging.WARNING, message)

    def error(self, message: str) -> None:
        """Log an error as a warning; the exception that follows decides on the video."""
        self._log(logging.WARNING, message)

    def _log(self, level: int, message: str) -> None:
        if message.strip():
            said = one_line(redact(message, self._url), MOST_CHARACTERS)
            logging.log(level, "yt-dlp: %s", said, extra={"log_only": True})


def base_options(url: str, options: DownloadOptions) -> dict[str, Any]:
    """Return the options that all uses of yt-dlp share."""
    os.environ["YTDLP_NO_PLUGINS"] = "1"  # plugins found on the path would run as code of this job
    os.environ.setdefault("DENO_DIR", str(DENO_FOLDER.absolute()))  # otherwise in the home folder
    os.environ.setdefault("DENO_NO_UPDATE_CHECK", "1")
    if not options.allow_private_hosts:
        sys.modules["curl_cffi"] = None  # type: ignore[assignment]  # it looks up names by itself, around the check for private hosts
    own = {key: value for key, value in options.ytdlp.items() if key in OWN_OPTIONS}
    return own | {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": Logger(url),
        "socket_timeout": options.timeout_s,
        "extractor_retries": REQUEST_RETRIES,
        "geo_bypass": False,
        "cachedir": False,
        "external_downloader": {"default": "native", "m3u8": "native"},
        **({"proxy": options.proxy} if options.proxy else {}),
        **({"cookiefile": read_cookies(Path(options.cookies))} if options.cookies else {}),
    }


def read_cookies(path: Path) -> io.StringIO:
    """Return the text of a cookie file; given a path, yt-dlp would rewrite the file or create it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"config key download.cookies: cannot read {path}: {error}") from None
    rows = [line for line in text.splitlines() if line.strip() and (line[0] != "#" or line.startswith("#HttpOnly_"))]
    if not rows or any(len(row.split("\t")) != 7 for row in rows):
        raise UserError(
            f"config key download.cookies: {path} is no Netscape cookie file (7 tab-separated columns, as browser"
            " extensions and `yt-dlp --cookies FILE` write it)"
        )
    return io.StringIO(text if re.match("#( Netscape)? HTTP Cookie File", text) else f"{COOKIE_HEADER}\n{text}")


def video_options(url: str, partial: Path, options: DownloadOptions, answer: Answer, meter: Meter) -> dict[str, Any]:
    """Return yt-dlp's options for one video: video only, no merge, fixed names, no missing fragments."""

    def note_progress(progress: dict[str, Any]) -> None:
        meter.count(progress.get("downloaded_bytes") or 0)
        meter.stop() if progress.get("status") == "finished" else meter.start()
        check_size(max(progress.get(k) or 0 for k in ("downloaded_bytes", "total_bytes")), options)

    def wait_s(n: int) -> float:
        meter.stop()
        retry_after_s = answer.retry_after_s or 0.0
        if retry_after_s > LONGEST_REQUEST_WAIT_S or answer.http_status == 429:
            raise RetryLater(f"HTTP Error {answer.http_status}: the server demands a longer wait")
        return max(retry_after_s, min(LONGEST_REQUEST_WAIT_S, options.wait_s * float(2**n)))

    fixed = {
        "outtmpl": {"default": f"{str(partial).replace('%', '%%')}/media.%(ext)s"},
        "noplaylist": True,
        "playlist_items": "1:2",
        "retries": REQUEST_RETRIES,
        "fragment_retries": REQUEST_RETRIES,
        "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), wait_s),
        "skip_unavailable_fragments": False,
        "updatetime": False,
        # yt-dlp would run ffmpeg on unchecked files and playlists, around all limits. Extraction reads unfixed files
        # as well. Formats that only ffmpeg can download fail with a message.
        "fixup": "never",
        "ffmpeg_location": str(partial / "none"),
        "progress_hooks": [note_progress],
    }
    return {"format": FORMAT, **base_options(url, options), "format_sort": format_sort(options)} | fixed


def check_size(size_bytes: int, options: DownloadOptions) -> None:
    """Raise Rejected if a file is larger than max_size_mb."""
    if size_bytes > options.max_size_mb * 1_000_000:
        raise Rejected(f"larger than max_size_mb = {options.max_size_mb:g}: {size_bytes / 1e6:.1f} MB")


def format_sort(options: DownloadOptions) -> list[str]:
    """Return yt-dlp's order of preference among formats: the user's, else height, frame rate, H.264."""
    own = options.ytdlp.get("format_sort")
    return own or [f"res:{options.max_height_px}", "fps:30", "vcodec:h264", "proto:https"]


def make_client(options: DownloadOptions, ytdlp_options: dict[str, Any], answer: Answer) -> Any:
    """Return a YoutubeDL that uses HTTP only, keeps error responses in `answer`, and checks others with `partial`."""
    from yt_dlp import YoutubeDL
    from yt_dlp.networking import Request
    from yt_dlp.networking.exceptions import HTTPError, TransportError

    class Client(http_only(YoutubeDL)):  # type: ignore[misc]
        meter: Meter | None = None  # set when the download of the media begins
        partial: Partial | None = None  # set too if the media are one file, which is resumed by offset

        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            return super().build_request_director(bounded_handlers(handlers), preferences)

        def urlopen(self, request: Any) -> Any:
            request = Request(request) if isinstance(request, str) else request
            piece = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("Range") or "")
            start = int(piece[1]) if piece else 0
            if self.partial and piece and start and not self.partial.may_continue(to_offset=bool(piece[2])):
                del request.headers["Range"]  # the server sends the whole file, and yt-dlp starts again
            answer.http_status = answer.retry_after_s = None
            try:
                response = bound_answer(super().urlopen(request), bool(self.meter), not self.partial)
                if self.meter:
                    self.meter.start()
                if self.partial:
                    check_size(self.partial.check(start, response.status, response.headers) or 0, options)
            except HTTPError as error:
                bound_answer(error.response, False, False)
                answer.http_status = error.status
                answer.retry_after_s = retry_after_s(error.response.headers.get("Retry-After"))
                raise
            except Changed as error:
                raise TransportError(str(error)) from error
            except TransportError as error:
                if private_host := next((e for e in chain_of(error) if isinstance(e, PrivateHost)), None):
                    raise Rejected(str(private_host.args[1])) from error
                raise
            return response

    return Client(ytdlp_options)
