"""Which sources of a video are accepted."""

from pathlib import Path

import pytest

from scripts.inputs.urls import is_local, url_fault


@pytest.mark.parametrize(
    "url",
    [
        "", "http://", "tests", "a{b}.mp4", "youtube.com/watch",
        "https://a.example/\u2028b",
        "https:///x", "http://[::1/x", "file:///etc/passwd", "ytsearch1:cats", "https://me:pw@a.example/x",
        "https://a.example/x#__youtubedl_smuggle=1", "https://a.example/a b", "rtmp://a.example/x", "http://a.example:99999/",
    ],
)  # fmt: skip
def test_refuses_sources_that_are_neither_pages_nor_files(url: str) -> None:
    assert url_fault(url)


def test_accepts_pages_and_files(clip: Path) -> None:
    assert url_fault("HTTPS://a.example:8080/x?y=1") is None
    assert url_fault(str(clip)) is None


def test_everything_with_a_scheme_is_a_url() -> None:
    assert is_local("C") and is_local("a/b:c.mp4") and not is_local("http://x")
