"""The errors of yt-dlp have the right status, with the texts of real sites."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from yt_dlp.networking.exceptions import CertificateVerifyError, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

from scripts.download.faults import Answer, Rejected, classify, retry_after_s


def raised(error: Exception) -> DownloadError:
    """Return the error as yt-dlp raises it."""
    try:
        try:
            raise error
        except Exception:
            raise DownloadError(f"ERROR: {error}", (type(error), error, None)) from None
    except DownloadError as wrapped:
        return wrapped


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Private video. Sign in if you\u2019ve been granted access to this video", "unavailable"),
        ("Video unavailable. This video has been removed by the uploader", "unavailable"),
        ("This video is no longer available because the YouTube account has been terminated", "unavailable"),
        ("Join this channel to get access to members-only content like this video", "needs_auth"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "needs_auth"),
        ("This video requires payment to watch", "needs_auth"),
        ("The uploader has not made this video available in your country", "geo_blocked"),
        ("It was blocked it in your country on copyright grounds", "geo_blocked"),
        ("Sign in to confirm you\u2019re not a bot", "blocked"),
        ("This content isn't available, try again later. The current session has been rate-limited", "blocked"),
        ("Failed to extract any player response", "blocked"),
        ("This live event will begin in 3 hours", "later"),
        ("Premieres in 20 minutes", "later"),
        ("We're processing this video. Check back later.", "later"),
        ("This video is DRM protected", "unsupported"),
        ("This video is not available in your location", "geo_blocked"),
        ("This video is only available for registered users. Use --cookies", "needs_auth"),
        ("blocked due to its TLS fingerprint. Install a required impersonation dependency", "failed"),
        ("Incomplete YouTube ID x. URL https://youtube.com/watch?v=x looks truncated.", "unsupported"),
        ("This video is unavailable", "unavailable"),
        ("This live event has ended.", "later"),
        ("m3u8 download detected but ffmpeg could not be found. Please install", "unsupported"),
        ("No video formats found!", "failed"),
        ("Requested format is not available", "failed"),
        ("Something nobody has seen before", "failed"),
    ],
)
def test_messages(text: str, status: str) -> None:
    fault = classify(raised(ExtractorError(text, expected=True)), fetching=False, answer=Answer())
    assert (fault.status, fault.http_status) == (status, None)
    assert fault.message.startswith(text.replace("\u2019", "'")[:20])
    assert fault.retryable is (status in ("blocked", "failed") and "impersonation" not in text)


def meaning(error: BaseException, fetching: bool = False, answer: Answer | None = None) -> str:
    return classify(error, fetching, answer or Answer()).status


def test_types_decide_before_words() -> None:
    assert meaning(raised(GeoRestrictedError("nope", countries=["FR"]))) == "geo_blocked"
    assert meaning(raised(UnsupportedError("https://a.example/x"))) == "unsupported"
    assert meaning(raised(UserNotLive())) == "later"
    assert meaning(Rejected("private video")) == "rejected"


def test_ids_urls_and_reason_phrases_match_no_pattern() -> None:
    """Ids, addresses and reason phrases are chosen by uploaders and servers, who could pass one fault for another."""
    for video_id in ("captcha", "premieres in", "this video is private"):
        error = ExtractorError("Unable to download webpage", expected=True, video_id=video_id, ie="Generic")
        assert meaning(raised(error)) == "failed"
    assert meaning(raised(ExtractorError("HTTP Error 503: not a bot? try again later", expected=True))) == "failed"
    assert meaning(DownloadError("ERROR: [generic] captcha: Giving up at https://a.example/not a bot")) == "failed"


@pytest.mark.parametrize(
    ("http_status", "page", "media"),
    [
        (404, ("unavailable", False), ("unavailable", True)),
        (403, ("forbidden", False), ("forbidden", True)),
        (429, ("blocked", True), ("blocked", True)),
        (503, ("failed", True), ("failed", True)),
        (418, ("failed", True), ("failed", True)),
    ],
)
def test_a_refused_page_is_final_and_a_refused_link_may_have_expired(
    http_status: int, page: tuple[str, bool], media: tuple[str, bool]
) -> None:
    for fetching, wanted in ((False, page), (True, media)):
        fault = classify(DownloadError(f"ERROR: HTTP Error {http_status}: no"), fetching, Answer())
        assert (fault.status, fault.retryable, fault.http_status) == (*wanted, http_status)


def test_the_last_error_response_supplies_the_http_status() -> None:
    error = DownloadError("ERROR: [download] Got error: timed out. Giving up after 3 retries")
    assert meaning(error, fetching=True) == "failed"
    assert meaning(error, fetching=True, answer=Answer(429)) == "blocked"
    assert meaning(error, fetching=False, answer=Answer(429)) == "failed", "a page asks for much that it can do without"


def test_a_bad_certificate_is_not_retried() -> None:
    certificate = CertificateVerifyError("certificate has expired")
    fault = classify(raised(certificate), fetching=False, answer=Answer())
    assert (fault.status, fault.retryable) == ("failed", False)


def test_unknown_errors_keep_their_type_and_words() -> None:
    fault = classify(ZeroDivisionError("\x1b[0;31mERROR:\x1b[0m odd"), fetching=False, answer=Answer())
    assert (fault.status, fault.message, fault.retryable) == ("failed", "ZeroDivisionError: odd", True)
    assert classify(KeyError(), fetching=False, answer=Answer()).message == "KeyError"
    text = "\n".join(f"line {i} of what nobody has seen before" for i in range(50))
    assert classify(raised(ExtractorError(text, expected=True)), fetching=False, answer=Answer()).message == text


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after_s("120") == 120
    assert retry_after_s(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)) == pytest.approx(
        90, abs=5
    )
    assert retry_after_s("Sat, 01 Jan 2000 00:00:00 GMT") == 0
    nonsense = ("", None, "soon", "-1", "1.5", "9" * 20, "9" * 400, "\u00b2")
    assert [retry_after_s(text) for text in nonsense] == [None] * len(nonsense)


@pytest.mark.parametrize(
    "words", ["HTTPSConnectionPool(host='captcha.example.org'): timed out", "improperly terminated"]
)
def test_a_connection_error_matches_no_pattern(words: str) -> None:
    assert meaning(raised(TransportError(words))) == "failed"
