"""HLS and DASH streams, made by ffmpeg and served by the tests' server."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

from tests._server import FaultServer
from tests._shared import made
from tests.conftest import STEADY_H264, MakeClip, pattern

KEY = bytes(range(16))


def _write(folder: Path, *arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *pattern(10), *STEADY_H264, "-g", "50", *arguments]
    subprocess.run(command, check=True, cwd=folder)


def hls(
    server: FaultServer, make_clip: MakeClip, fragmented: bool = False, encrypted: bool = False, live: bool = False
) -> tuple[str, list[str]]:
    """Serve a stream of 10 s in segments of 2 s; return the playlist's URL and the segments' paths."""

    def make(folder: Path) -> None:
        (folder / "key").write_bytes(KEY)
        (folder / "key.txt").write_text("key\nkey\n")
        kind = ("-hls_segment_type", "fmp4") if fragmented else ()
        key = ("-hls_key_info_file", "key.txt") if encrypted else ()
        _write(folder, "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", *kind, *key, "list.m3u8")

    folder = made(_folder(make_clip) / f"hls{fragmented}{encrypted}", make)
    playlist = (folder / "list.m3u8").read_text()
    for path in folder.iterdir():
        server.add(f"/hls/{path.name}", path, "video/mp4" if fragmented else "video/mp2t")
    playlist = playlist.replace("#EXT-X-ENDLIST", "") if live else playlist
    segments = [f"/hls/{line}" for line in playlist.splitlines() if line and not line.startswith("#")]
    return server.add("/hls/list.m3u8", playlist, "application/vnd.apple.mpegurl"), segments


def dash(server: FaultServer, make_clip: MakeClip) -> str:
    """Serve a DASH stream of 10 s; return the manifest's URL."""
    folder = made(
        _folder(make_clip) / "dash", lambda folder: _write(folder, "-f", "dash", "-seg_duration", "2", "list.mpd")
    )
    for path in folder.iterdir():
        server.add(f"/dash/{path.name}", path, "application/dash+xml" if path.suffix == ".mpd" else "video/mp4")
    return server.url("/dash/list.mpd")


def _folder(make_clip: MakeClip) -> Path:
    return make_clip("fault.mp4", *pattern(10), *STEADY_H264, "-movflags", "faststart").parent
