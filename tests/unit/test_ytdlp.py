"""What yt-dlp's errors mean, in the words that sites really use."""

import pytest
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

from scripts._ytdlp import classify


def raised(error: Exception) -> DownloadError:
    """Return the error as yt-dlp hands it on."""
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
        ("No video formats found!", "failed"),
        ("Something nobody has seen before", "failed"),
    ],
)
def test_messages(text: str, status: str) -> None:
    fault = classify(raised(ExtractorError(text, expected=True)))
    assert (fault.status, fault.http_status) == (status, None)
    assert fault.message.startswith(text.replace("\u2019", "'")[:20])


def test_types_decide_before_words() -> None:
    assert classify(raised(GeoRestrictedError("nope", countries=["FR"]))).status == "geo_blocked"
    assert classify(raised(UnsupportedError("https://a.example/x"))).status == "unsupported"


def test_unknown_errors_keep_their_words() -> None:
    fault = classify(ZeroDivisionError("\x1b[0;31mERROR:\x1b[0m odd"))
    assert (fault.status, fault.message) == ("failed", "odd")
    assert classify(KeyError()).message == "KeyError"
