"""Talk to yt-dlp: its options, and what its errors mean."""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Tried in this order on the whole error text; the first that matches decides. The wordings are yt-dlp's and YouTube's.
MESSAGES = (
    ("later", r"premieres in|live event will begin|processing this video|check back later"),
    ("blocked", r"not a bot|rate-limited|try again later|captcha|all player responses are invalid"
                r"|failed to extract any player response|http error 429"),
    ("geo_blocked", r"not made this video available in your country|blocked it in your country|geo.?restrict"),
    ("needs_auth", r"members-only|available to this channel's members|confirm your age|inappropriate for some users"
                   r"|requires payment|music premium|login required|account cookies"),
    ("unavailable", r"private video|this video is private|video unavailable|has been removed|terminated|closed their"
                    r"|copyright claim|video is not available|isn't available anymore|recording is not available"),
    ("unsupported", r"unsupported url|drm protected|is not a valid url|no suitable extractor|no video could be found"),
    ("failed", r"giving up after|did not get any data blocks|no video formats found|timed out"),
)  # fmt: skip
WORTH_RETRYING = frozenset({"blocked", "failed"})  # another attempt may change them, even within this run


@dataclass(frozen=True)
class Fault:
    """What an error means for the video; the message is in the site's own words."""

    status: str
    message: str
    http_status: int | None


class Rejected(Exception):
    """The page is not one finished video of an allowed size, so nothing was fetched."""


class _Logger:
    """Pass yt-dlp's lines, warnings included (on YouTube they carry the true cause), to the job's log."""

    def debug(self, message: str) -> None:
        if not message.startswith("[debug]"):
            logging.info("yt-dlp: %s", message)

    def warning(self, message: str) -> None:
        logging.warning("yt-dlp: %s", message)

    def error(self, message: str) -> None:
        logging.error("yt-dlp: %s", message)


def base_options(timeout_s: float) -> dict[str, Any]:
    """Return the options that every use of yt-dlp shares."""
    os.environ["YTDLP_NO_PLUGINS"] = "1"  # plugins found on the path would run as code of this job
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": _Logger(),
        "socket_timeout": timeout_s,
        "extractor_retries": 2,
        "geo_bypass": False,
        "cachedir": False,
        "external_downloader": {"default": "native", "m3u8": "native"},
    }


def classify(error: BaseException) -> Fault:
    """Decide what an error from yt-dlp means, by its type, its HTTP status, its stage and its wording."""
    chain = list(_chain(error))
    text = ANSI.sub("", str(error)).replace("\u2019", "'").removeprefix("ERROR: ").strip() or type(error).__name__
    text = re.sub(r" \(caused by .*", "", text, flags=re.DOTALL)  # it says the same again, as a Python object
    status = _http_status(chain, text)
    return Fault(_status(chain, text.lower(), status), text, status)


def _status(chain: list[BaseException], text: str, http_status: int | None) -> str:
    names = {kind.__name__ for e in chain for kind in type(e).__mro__}
    if "Rejected" in names:
        return "rejected"
    if "GeoRestrictedError" in names:
        return "geo_blocked"
    for status, pattern in MESSAGES:
        if re.search(pattern, text):
            return status
    if not names & {"TransportError", "HTTPError"} and names & {
        "UnsupportedError",
        "NoSupportingHandlers",
        "RequestError",
    }:
        return "unsupported"
    extracting = "ExtractorError" in names
    if http_status in (404, 410, 451) and extracting:
        return "unavailable"
    if http_status in (401, 403) and extracting:
        return "forbidden"
    return "failed"  # server errors, dead hosts, timeouts, expired media links, and all that is unknown


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that caused it, in whichever attribute yt-dlp or Python keeps it."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        info = getattr(current, "exc_info", None) or ()
        waiting += [*info, getattr(current, "cause", None), current.__cause__, current.__context__]


def _http_status(chain: list[BaseException], text: str) -> int | None:
    for error in chain:
        if type(error).__name__ == "HTTPError" and isinstance(getattr(error, "status", None), int):
            return int(error.status)  # type: ignore[attr-defined]
    found = re.search(r"HTTP Error (\d{3})", text)
    return int(found[1]) if found else None
