"""Small answers that stand for very large ones neither fill the memory nor hold a job beyond its time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests._bombs import LIST, bomb, endless, endless_redirect, measure, one_byte_samples, short_list_of_many
from tests._server import FaultServer
from tests.conftest import MakeClip

MOST_MB = 400  # a process with yt-dlp and PyAV takes about 100
GB = 1_000_000_000
Lay = Callable[[FaultServer], str]


def answer(path: str, kind: str, head: bytes, text: bytes, status: int = 200) -> Lay:
    def lay(server: FaultServer) -> str:
        server.acts[path] = [bomb(kind, head, text, GB, status)]
        return server.url(path)

    return lay


def endless_page(server: FaultServer) -> str:
    server.acts["/p"] = [endless("text/html", b"<p>a</p>")]
    return server.url("/p")


@pytest.mark.public_report(
    "globocom/m3u8 403",
    saw="a packed playlist of a few kB fills the memory",
    here="the video is rejected at 20 MB of unpacked text",
)
@pytest.mark.parametrize(
    ("lay", "status"),
    [
        (endless_page, "rejected"),
        (answer("/p", "text/html", b"<html>", b"<p>a</p>"), "rejected"),
        (answer("/p", "text/html", b"<html>", b"<p>a</p>", 404), "unavailable"),
        (answer("/l.m3u8", LIST, b"#EXTM3U\n", b"#EXTINF:1,\na.ts\n"), "rejected"),
        (answer("/v.mp4", "video/mp4", b"", bytes(1000)), "rejected"),
    ],
    ids=["endless page", "packed page", "packed error page", "packed playlist", "packed media"],
)
def test_answers_are_bounded_after_unpacking(server: FaultServer, tmp_path: Path, lay: Lay, status: str) -> None:
    measured = measure(lay(server), tmp_path)
    assert measured["record"]["status"] == status, measured
    assert measured["peak_mb"] < MOST_MB and measured["seconds"] < 40, measured


def test_the_body_of_a_redirect_is_not_read(server: FaultServer, tmp_path: Path, clip: Path) -> None:
    server.add("/v.mp4", clip)
    server.acts["/p"] = [endless_redirect("/v.mp4")]
    measured = measure(server.url("/p"), tmp_path)
    assert measured["record"]["status"] == "ok" and measured["peak_mb"] < MOST_MB, measured


def test_a_line_that_stands_for_millions_of_segments_is_rejected(server: FaultServer, tmp_path: Path) -> None:
    url = server.add("/l.mpd", short_list_of_many(50_000_000), "application/dash+xml")
    measured = measure(url, tmp_path, timeout_s=20)
    assert measured["record"]["message"] == "its page or playlist takes more than 600 MB of memory", measured
    assert measured["peak_mb"] < 1000, measured


@pytest.mark.parametrize("is_local", [False, True])
def test_looking_into_a_file_counts_into_the_deadline(
    server: FaultServer, tmp_path: Path, make_clip: MakeClip, clip: Path, is_local: bool
) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(one_byte_samples(clip, 2_000_000))
    url = str(path) if is_local else server.add("/v.mp4", path)
    measured = measure(url, tmp_path, deadline_s=3)
    assert measured["record"]["message"] == "not finished within deadline_s = 3 s", measured
    assert measured["seconds"] < 40, measured
