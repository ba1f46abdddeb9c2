"""Which sources of a video are accepted."""

from pathlib import Path

import pytest

from scripts.inputs.urls import is_local, source_of, url_fault
from scripts.media.probe import probe_media


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


@pytest.mark.public_report(
    "youtube-dl 6286",
    saw="A file name with a colon was taken for a protocol: Protocol not found.",
    here="A local file with a colon in its name is read.",
)
@pytest.mark.public_report(
    "nordlicht 55",
    saw="Files with a colon in the name cannot be opened.",
    here="Only `://` and `http:` make a URL, so they are read.",
)
def test_a_file_name_may_have_a_colon(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("clip-10:30.mp4", "file:x.mp4", "concat:a.mp4"):
        assert url_fault(name) == f"url '{name}' is neither http(s)://host/... nor the path of a file"
        (tmp_path / name).write_bytes(clip.read_bytes())
        assert is_local(name) and url_fault(name) is None
        assert probe_media(Path(name)).duration_s == 6


def test_an_address_is_no_file() -> None:
    assert is_local("C") and is_local("a/b:c.mp4")
    assert not is_local("http://x")
    for url in ("HTTPS:x", "http:a.example/x.mp4", "file:///etc/passwd", "rtmp://x"):
        assert not is_local(url) and url_fault(url)


X = "dQw4w9-Wg_Q"
PLAIN = f"https://www.youtube.com/watch?v={X}"


@pytest.mark.public_report(
    "ClearURLs/Rules 87",
    saw="Shared YouTube links differ by a parameter si.",
    here="All addresses of a video are one source.",
)
@pytest.mark.public_report(
    "iv-org/invidious 1736",
    saw="Some of YouTube's many address forms (watch/, v/, shorts/, e/) are not understood.",
    here="All of them are one source with the plain address.",
)
@pytest.mark.parametrize(
    "url",
    [
        f"https://youtu.be/{X}", f"https://youtu.be/{X}?si=abcDEF", f"http://www.youtu.be/{X}?t=3", f"{PLAIN}&t=3",
        f"https://youtube.com/watch?app=desktop&v={X}&list=PL1&index=2", f"https://m.youtube.com/watch?v={X}",
        f"https://music.youtube.com/watch?v={X}&si=a", f"https://www.youtube.com/shorts/{X}?feature=share",
        f"https://www.youtube.com/live/{X}?si=a", f"https://www.youtube.com/embed/{X}?start=3", f"HTTPS://YouTube.com/v/{X}",
        f"https://www.youtube-nocookie.com/embed/{X}", f"https://www.youtube.com/watch/{X}", PLAIN,
    ],
)  # fmt: skip
def test_all_addresses_of_a_youtube_video_are_one_source(url: str) -> None:
    assert source_of(url) == PLAIN and source_of(source_of(url)) == PLAIN


@pytest.mark.parametrize(
    "url",
    [
        "clips/a.mp4", f"https://a.example/watch?v={X}", f"https://youtube.com.a.example/watch?v={X}", "http://[::1/x",
        f"https://www.youtube.com/playlist?list={X}", "https://www.youtube.com/@name/shorts", "https://youtu.be/short",
        f"https://www.youtube.com/watch?v={X}x", f"youtu.be/{X}", f"https://www.youtube.com/clip/{X}", "https://youtu.be",
        "https://www.youtube.com/embed/videoseries?list=PL1", "https://www.youtube.com/embed/live_stream?channel=A",
    ],
)  # fmt: skip
def test_other_sources_stay_as_they_are(url: str) -> None:
    assert source_of(url) == url
