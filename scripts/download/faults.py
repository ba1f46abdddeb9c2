"""Classify the errors of yt-dlp by their meaning for a video."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from scripts.download.options import DownloadOptions

ANSI = re.compile(r"\x1b\[[0-9;]*m")
TRANSIENT = frozenset({"later", "blocked", "failed"})  # a later run may succeed
RETRYABLE = frozenset({"blocked", "failed"})  # another attempt in this run may succeed
NOT_RETRYABLE = ("certificateverifyerror", "impersonat", "tls fingerprint")  # `failed`, but a retry fails as well
# Keys of `download` that may cause a refusal, so the video is retried when one of them changes.
DECIDED_BY = {
    "rejected": ("max_size_mb", "allow_private_hosts"),
    "needs_auth": ("cookies",),
    "forbidden": ("cookies", "allow_private_hosts"),  # true allows curl_cffi, which a site may accept
}
SECRET_KEYS = frozenset({"cookies"})  # recorded only as set or not set
# Patterns for the site's message, tried in this order. The texts are yt-dlp's and YouTube's.
MESSAGES = (
    ("later", r"premieres in|live event will begin|processing this video|check back later|not currently live"
              r"|live event has ended|premiere will begin"),
    ("failed", r"tls fingerprint|impersonat"),
    ("blocked", r"not a bot|rate-limited|try again later|captcha|all player responses are invalid"
                r"|failed to extract any player response"),
    ("geo_blocked", r"(available|blocked it) (in|from) your (country|location|region)|geo.?restrict"),
    ("needs_auth", r"members-only|available to this channel's members|confirm your age|inappropriate for some users"
                   r"|age.restricted|requires payment|music premium|login required|log ?in to|sign in to view"
                   r"|account cookies|registered users"),
    ("unavailable", r"private video|video is private|video unavailable|is unavailable|been removed|terminated"
                    r"|closed their|copyright claim|video (is not|isn't) available|no longer (available|exists)"
                    r"|available anymore|recording is not available|does not exist|has been deleted"),
    ("unsupported", r"unsupported url|drm protected|known to use drm|piracy|is not a valid url|looks truncated"
                    r"|no suitable extractor|no video could be found|no media found"
                    r"|ffmpeg (could not be found|is not installed)"),
    ("failed", r"giving up after|did not get any data blocks|no video formats found|format is not available|timed out"),
)  # fmt: skip


def refused_under(status: str, options: DownloadOptions) -> dict[str, Any]:
    """Return the options that may have caused a refusal, as a record holds them."""
    return recorded_options(DECIDED_BY.get(status, ()), options)


def recorded_options(keys: Iterable[str], options: DownloadOptions) -> dict[str, Any]:
    """Return the values of these options for a record, without secrets; unknown keys are left out."""
    values = vars(options)
    return {key: bool(values[key]) if key in SECRET_KEYS else values[key] for key in keys if key in values}


class Rejected(Exception):
    """The page is not one finished video of an allowed size on an allowed host."""


class Unsupported(Exception):
    """The video is offered only in a way that is not supported."""


class NotYet(Exception):
    """The video is announced and does not exist yet."""


class RetryLater(Exception):
    """The server demands a wait that is too long for a retry of one request."""


@dataclass(frozen=True)
class Fault:
    """The meaning of an error for the video; the message is the site's."""

    status: str
    message: str
    http_status: int | None = None
    retry_after_s: float | None = None
    retryable: bool = False  # another attempt in this run may succeed


OK = Fault("ok", "")


def out_of_time(options: DownloadOptions) -> Fault:
    """Return the fault of a video whose time is up."""
    return Fault("failed", f"not finished within deadline_s = {options.deadline_s:g} s")


@dataclass
class Answer:
    """The last error response of a server; yt-dlp loses it when its own retries are used up."""

    http_status: int | None = None
    retry_after_s: float | None = None


def retry_after_s(value: str | None) -> float | None:
    """Return the seconds to wait by a Retry-After header (RFC 9110, 10.2.3: seconds or a date)."""
    if not value:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (when - datetime.now(when.tzinfo or UTC)).total_seconds()) if when.tzinfo else None


def classify(error: BaseException, fetching: bool, answer: Answer) -> Fault:
    """Classify an error by type, HTTP status and message; `fetching`: it came from the media, not from the page."""
    chain = list(chain_of(error))
    text = _clean(str(error))
    if not text or not _is_readable(error):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    http_status = _http_status(chain, text)
    if http_status is None and fetching and isinstance(error, Exception):
        http_status = answer.http_status
    status = _status(chain, _words(chain, text), http_status)
    kinds = " ".join(type(e).__name__ for e in chain).lower()
    # A link to the media may have expired, so a refusal is final only if a new link is refused too.
    refused = fetching and status in ("unavailable", "forbidden")
    lasting = any(word in f"{kinds} {text.lower()}" for word in NOT_RETRYABLE)
    retryable = (status in RETRYABLE or refused) and not lasting
    return Fault(status, text, http_status, answer.retry_after_s, retryable)


def _is_readable(error: BaseException) -> bool:
    """Return whether an error's text is written for people; for others, the type says more."""
    return isinstance(error, Rejected | Unsupported | NotYet | RetryLater) or any(
        k.__name__ == "YoutubeDLError" for k in type(error).__mro__
    )


def _clean(text: str) -> str:
    text = ANSI.sub("", text).replace("\u2019", "'").strip().removeprefix("ERROR:").strip()
    return re.sub(r" \(caused by .*", "", text, flags=re.DOTALL)  # the same text, as a Python object


def _words(chain: list[BaseException], text: str) -> str:
    """Return the site's message in lower case, without ids and URLs, which could match a pattern by chance."""
    message = next((str(m) for e in chain if (m := getattr(e, "orig_msg", None))), None)
    if message is None:
        message = re.sub(r"^\[[^\]]+\] (\S+: )?", "", text)
    return re.sub(r"https?://\S+|http error \d+.*", "", _clean(message).lower())


def _status(chain: list[BaseException], words: str, http_status: int | None) -> str:
    names = {kind.__name__ for e in chain for kind in type(e).__mro__}
    for name, status in (
        ("Rejected", "rejected"),
        ("PrivateHost", "rejected"),
        ("Unsupported", "unsupported"),
        ("NotYet", "later"),
        ("UserNotLive", "later"),
        ("GeoRestrictedError", "geo_blocked"),
    ):
        if name in names:
            return status
    no_answer = "TransportError" in names and "HTTPError" not in names  # the text is a library's, with the host's name
    for status, pattern in MESSAGES if not no_answer else ():
        if re.search(pattern, words):
            return _by_http_status(status, http_status)
    if not names & {"TransportError", "HTTPError"} and names & {
        "UnsupportedError",
        "NoSupportingHandlers",
        "RequestError",
    }:
        return "unsupported"
    if any(getattr(e, "redirect_loop", False) for e in chain):
        return "unavailable"
    return _by_http_status("failed", http_status)  # server errors, dead hosts, timeouts, and unknown errors


def _by_http_status(status: str, http_status: int | None) -> str:
    """Return the status, or for `failed` the one that the HTTP status means."""
    if status != "failed":
        return status
    by_http = {429: "blocked", 404: "unavailable", 410: "unavailable", 451: "unavailable"}
    by_http |= {401: "forbidden", 403: "forbidden"}
    return by_http.get(http_status or 0, "failed")


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all its causes, which yt-dlp and Python keep in several attributes."""
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
