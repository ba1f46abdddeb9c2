"""Decide what an error of yt-dlp means for a video."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from scripts.download.options import DownloadOptions

ANSI = re.compile(r"\x1b\[[0-9;]*m")
TRANSIENT = frozenset({"later", "blocked", "failed"})  # another run may change them
AGAIN = frozenset({"blocked", "failed"})  # another attempt within this run may change them
HOPELESS = ("certificateverifyerror", "impersonat", "tls fingerprint")  # `failed`, but not for want of trying
# Keys of `download` that may have a part in a refusal, so that it is asked again once one of them is another.
DECIDED_BY = {
    "rejected": ("max_size_mb", "allow_private_hosts"),
    "needs_auth": ("cookies",),
    "forbidden": ("cookies", "allow_private_hosts"),  # the latter brings curl_cffi, with which a site may answer
}
SECRET = frozenset({"cookies"})  # of these it is told only whether there is one
# Tried in this order on the site's own words; the first that matches decides. The wordings are yt-dlp's and YouTube's.
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
    """Return those of a download's options that had a part in its refusal."""
    return noted(DECIDED_BY.get(status, ()), options)


def noted(keys: Iterable[str], options: DownloadOptions) -> dict[str, Any]:
    """Return some options as a record may hold them."""
    values = vars(options)
    return {key: bool(values[key]) if key in SECRET else values[key] for key in keys if key in values}


class Rejected(Exception):
    """The page is not one finished video of an allowed size on an allowed host, so nothing is fetched."""


class NotYet(Exception):
    """The video does not exist yet, but is announced."""


class ComeBack(Exception):
    """The server asks for a wait that is not to be spent inside a request."""


@dataclass(frozen=True)
class Fault:
    """What an error means for the video; the message is in the site's own words."""

    status: str
    message: str
    http_status: int | None = None
    retry_after_s: float | None = None
    again: bool = False  # another attempt within this run may succeed


OK = Fault("ok", "")


@dataclass
class Answer:
    """The last error that a server answered with; yt-dlp forgets it once its own retries are used up."""

    http_status: int | None = None
    retry_after_s: float | None = None


def retry_after_s(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date)."""
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
    """Decide by type, HTTP status, stage and words what an error means; `fetching` is the stage after the page's."""
    chain = list(chain_of(error))
    text = _clean(str(error))
    if not text or not _is_theirs(error):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    http_status = _http_status(chain, text)
    if http_status is None and fetching and isinstance(error, Exception):
        http_status = answer.http_status
    status = _status(chain, _words(chain, text), http_status, fetching)
    kinds = " ".join(type(e).__name__ for e in chain).lower()
    # A link to the media may have expired, so a refusal of it is final only if a fresh one is refused too.
    refused = fetching and status in ("unavailable", "forbidden")
    again = (status in AGAIN or refused) and not any(word in f"{kinds} {text.lower()}" for word in HOPELESS)
    return Fault(status, text, http_status, answer.retry_after_s, again)


def _is_theirs(error: BaseException) -> bool:
    """Tell errors that are worded for people from those of code, whose type says more than their text."""
    return isinstance(error, Rejected | NotYet | ComeBack) or any(
        k.__name__ == "YoutubeDLError" for k in type(error).__mro__
    )


def _clean(text: str) -> str:
    text = ANSI.sub("", text).replace("\u2019", "'").strip().removeprefix("ERROR:").strip()
    return re.sub(r" \(caused by .*", "", text, flags=re.DOTALL)  # it says the same again, as a Python object


def _words(chain: list[BaseException], text: str) -> str:
    """Return what the site says, in lower case, without the parts that it does not choose as words: ids, addresses."""
    said = next((str(m) for e in chain if (m := getattr(e, "orig_msg", None))), None)
    if said is None:
        said = re.sub(r"^\[[^\]]+\] (\S+: )?", "", text)
    return re.sub(r"https?://\S+|http error \d+.*", "", _clean(said).lower())


def _status(chain: list[BaseException], words: str, http_status: int | None, fetching: bool) -> str:
    names = {kind.__name__ for e in chain for kind in type(e).__mro__}
    for name, status in (
        ("Rejected", "rejected"),
        ("PrivateHost", "rejected"),
        ("NotYet", "later"),
        ("UserNotLive", "later"),
        ("GeoRestrictedError", "geo_blocked"),
    ):
        if name in names:
            return status
    unheard = (
        "TransportError" in names and "HTTPError" not in names
    )  # the words are a library's, around the host's name
    for status, pattern in MESSAGES if not unheard else ():
        if re.search(pattern, words):
            return _worse(status, http_status, fetching)
    if not names & {"TransportError", "HTTPError"} and names & {
        "UnsupportedError",
        "NoSupportingHandlers",
        "RequestError",
    }:
        return "unsupported"
    if any(getattr(e, "redirect_loop", False) for e in chain):
        return "unavailable"
    return _worse("failed", http_status, fetching)  # server errors, dead hosts, timeouts, and all that is unknown


def _worse(status: str, http_status: int | None, fetching: bool) -> str:
    """Return what the HTTP status makes of a fault whose words say no more than that it failed."""
    if status != "failed":
        return status
    by_http = {429: "blocked", 404: "unavailable", 410: "unavailable", 451: "unavailable"}
    by_http |= {401: "forbidden", 403: "forbidden"}
    return by_http.get(http_status or 0, "failed")


def chain_of(error: BaseException) -> Iterator[BaseException]:
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
