"""Only HTTP, HLS and DASH reach a downloader: other protocols run programs or go around the limits on hosts."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.download.faults import Unsupported
from scripts.download.protocols import check_protocol
from tests._acts import redirect
from tests._download import download
from tests._server import FaultServer

# What yt-dlp runs for one protocol or another, or did in earlier versions.
PROGRAMS = ("rtmpdump", "ffmpeg", "ffprobe", "mpv", "mplayer", "curl", "wget", "aria2c", "axel", "http", "phantomjs")
PROTOCOLS = (
    "rtmp", "rtmpe", "rtmps", "rtmpt", "rtsp", "rtsps", "mms", "mmsh", "ftp", "ftps", "sftp", "ws", "wss", "srt", "udp",
    "rtp", "tcp", "gopher", "smb", "file", "concat", "data",
)  # fmt: skip


@pytest.fixture
def run_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs on PATH that record that they ran; return the folder of their records."""
    programs, ran = tmp_path / "bin", tmp_path / "ran"
    programs.mkdir()
    ran.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}/{name}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return ran


def started(ran: Path) -> list[str]:
    """Return how programs were called, without yt-dlp's check for ffmpeg, which names no URL."""
    calls = [line for record in ran.iterdir() for line in record.read_text().splitlines()]
    return [call for call in calls if not call.endswith("ffmpeg -bsfs")]


class Listener:
    """A port that counts connections of any protocol."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.socket.close()


@pytest.mark.public_report(
    "mpv-player/mpv 5456",
    saw="a page's <video> names any protocol, and the URL that youtube-dl returns opens files or runs code",
    here="the video is `unsupported`; only HTTP, HLS and DASH reach a downloader",
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_page_cannot_have_another_protocol_used(
    server: FaultServer, run_programs: Path, listener: Listener, tmp_path: Path, protocol: str
) -> None:
    page = server.page("/page", f"{protocol}://127.0.0.1:{listener.port}/live/clip.mp4")
    record = download(page, tmp_path, attempts=2, deadline_s=20)
    assert (record["status"], record["attempts"]) == ("unsupported", 1), record["message"]
    assert not started(run_programs) and not listener.connections


@pytest.mark.public_report(
    "ytdl-org/youtube-dl 8228",
    saw="a playlist whose segments are file: or other URLs reads local files",
    here="each request, also of segments and keys, must be HTTP: the video is `unsupported`",
)
@pytest.mark.parametrize("place", ["segment", "key", "playlist", "redirect"])
@pytest.mark.parametrize("protocol", ["rtmp", "ftp", "ws", "file"])
def test_a_playlist_cannot_lead_to_another_protocol(
    server: FaultServer, clip: Path, run_programs: Path, listener: Listener, tmp_path: Path, protocol: str, place: str
) -> None:
    other = f"{protocol}://127.0.0.1:{listener.port}/clip.mp4"
    good = server.add("/clip.mp4", clip)
    if place == "redirect":
        server.acts["/away.mp4"] = [redirect(other)]
        good = server.add("/away.mp4", clip)
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{other}"\n' if place == "key" else ""
    media = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{key}#EXTINF:6,\n{other if place == 'segment' else good}\n#EXT-X-ENDLIST\n"
    )
    if place == "playlist":
        media = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=320x180\n{other}\n"
    url = server.add("/list.m3u8", media, "application/vnd.apple.mpegurl")
    record = download(url, tmp_path, attempts=1, deadline_s=20)
    assert (record["status"], record["attempts"]) == ("unsupported", 1), record["message"]
    assert not started(run_programs) and not listener.connections


def test_a_format_over_http_is_taken_if_there_is_one(
    server: FaultServer, clip: Path, run_programs: Path, tmp_path: Path
) -> None:
    sources = "rtmp://127.0.0.1/live/clip.flv", server.add("/clip.mp4", clip)
    tags = "".join(f'<source src="{source}">' for source in sources)
    page = server.add("/page", f"<html><title>t</title><video>{tags}</video></html>", "text/html")
    record = download(page, tmp_path, deadline_s=20)
    assert record["status"] == "ok" and not started(run_programs), record["message"]


@pytest.mark.parametrize(
    "media",
    [
        {"url": "https://a.example/v.mp4"}, {"url": "http://a.example/v.m3u8"},
        {"url": "https://a.example/v", "protocol": "m3u8"}, {"url": "https://a.example/v", "protocol": "https+https"},
        {"url": "https://a.example/v", "protocol": "http_dash_segments"}, {"protocol": "http_dash_segments"},
        {"url": "data:application/x-mpegurl,", "protocol": "m3u8_native"},
    ],
)  # fmt: skip
def test_http_hls_and_dash_are_accepted(media: dict[str, str]) -> None:
    check_protocol(media)


@pytest.mark.parametrize(
    "media",
    [
        {"url": "rtmp://a.example/v"}, {"url": "rtmp://a.example/v", "protocol": "https"},
        {"url": "https://a.example/v", "protocol": "rtmp_ffmpeg"}, {"url": "https://a.example/v", "protocol": "ism"},
        {"url": "https://a.example/v", "protocol": "https+rtmp"}, {"url": "https://a.example/v", "protocol": "mhtml"},
        {"url": "file:///etc/passwd"}, {"url": "v.mp4"}, {},
    ],
)  # fmt: skip
def test_a_format_of_any_other_kind_is_refused(media: dict[str, str]) -> None:
    with pytest.raises(Unsupported, match="only http, https, HLS and DASH are supported"):
        check_protocol(media)
