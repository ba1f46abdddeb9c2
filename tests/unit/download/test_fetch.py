"""Downloads from a real server with real faults end in the right status."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.faults import NotYet, Rejected
from scripts.download.fetch import check_kind
from scripts.download.resume import Partial
from scripts.download.store import entry_of, version_of
from scripts.download.ytdlp import video_options
from tests._download import download
from tests._server import FaultServer, cut_short, etag, serve
from tests._streams import hls
from tests.conftest import H264, MakeClip, download_options, pattern


def test_limits_of_size_and_time(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    record = download(url, tmp_path, max_size_mb=0.01)
    assert (record["status"], record["attempts"]) == ("rejected", 1) and "max_size_mb" in record["message"]
    server.faults["/clip.mp4"] = (503, 99)
    record = download(url, tmp_path, attempts=20, wait_s=600, deadline_s=1)
    assert record["status"] == "failed" and "deadline_s = 1 s" in record["message"]


def test_a_full_disk_ends_the_job_and_fails_no_video(
    server: FaultServer, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.add("/clip.mp4", clip)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full")

    def to_full(url: str, partial: Path, *rest: Any) -> dict[str, Any]:
        part = partial / "media.mp4.part"
        part.unlink(missing_ok=True)
        part.symlink_to(full)
        return video_options(url, partial, *rest)

    monkeypatch.setattr("scripts.download.fetch.video_options", to_full)
    monkeypatch.setattr("scripts.download.resume.Partial.begin", lambda *_: None)
    with pytest.raises(UserError, match="No space left"):
        download(url, tmp_path)


def test_another_format_is_tried_if_the_first_is_incomplete(
    server: FaultServer, make_clip: MakeClip, tmp_path: Path
) -> None:
    sizes = {"640x360": make_clip("tall.mp4", *pattern(4, size="640x360"), *H264, "-movflags", "faststart"),
             "320x180": make_clip("low.mp4", *pattern(4), *H264, "-movflags", "faststart")}  # fmt: skip
    lines = []
    for size, path in sizes.items():
        segment = make_clip(f"{size}.ts", "-i", str(path), "-c", "copy")
        server.add(f"/{size}.ts", segment, "video/mp2t")
        server.add(f"/{size}.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/{size}.ts\n#EXT-X-ENDLIST\n")
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={path.stat().st_size},RESOLUTION={size}", f"/{size}.m3u8"]
    url = server.add("/all.m3u8", "\n".join(["#EXTM3U", *lines]), "application/vnd.apple.mpegurl")
    assert download(url, tmp_path / "a")["media"]["height"] == 360
    server.add("/640x360.ts", b"<html>" + b"x" * 5000)
    record = download(url, tmp_path / "b")
    assert (record["status"], record["attempts"], record["media"]["height"]) == ("ok", 2, 180)


def test_formats_that_need_ffmpeg_are_unsupported(server: FaultServer, make_clip: MakeClip, tmp_path: Path) -> None:
    segment = make_clip("segment.ts", *pattern(2), *H264)
    server.add("/s.ts", segment, "video/mp2t")
    key = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AA=="\n'
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{key}#EXTINF:2,\n{server.url('/s.ts')}\n#EXT-X-ENDLIST\n"
    url = server.add("/locked.m3u8", text, "application/vnd.apple.mpegurl")
    record = download(url, tmp_path)
    assert (record["status"], record["attempts"]) == ("unsupported", 1) and "not supported" in record["message"]


def test_an_invalid_file_is_downloaded_twice_with_one_attempt(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.acts["/clip.mp4"] = [serve, cut_short(0.5), serve]
    server.add("/clip.mp4", clip)
    record = download(server.url("/clip.mp4"), tmp_path, attempts=1)
    assert (record["status"], record["attempts"]) == ("ok", 2)


def test_a_title_that_is_no_valid_text_is_repaired(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.add("/clip.mp4", clip)
    data = '{"@context":"https://schema.org","@type":"VideoObject","name":"bad \\ud83d title","contentUrl":"/clip.mp4"}'
    page = (
        f'<html><script type="application/ld+json">{data.replace("/clip.mp4", server.url("/clip.mp4"))}</script></html>'
    )
    record = download(server.add("/page", page, "text/html"), tmp_path)
    assert (record["status"], record["source"]["title"]) == ("ok", "bad ? title")


def test_a_partial_file_as_long_as_the_video_is_deleted(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    """The server answers 416 (range not satisfiable), also to each retry."""
    url = server.add("/clip.mp4", clip)
    version = version_of(entry_of(tmp_path / "store", url), download_options())
    version.mkdir(parents=True)
    partial = Partial(version / "partial")
    partial.begin({"format_id": "mp4", "protocol": "http", "pieces": ""})
    partial.check(0, 200, {"Content-Length": str(clip.stat().st_size), "ETag": etag(clip.read_bytes())})
    (partial.folder / "media.mp4.part").write_bytes(clip.read_bytes())
    record = download(url, tmp_path)
    assert (record["status"], record["attempts"]) == ("ok", 2)


@pytest.mark.public_report(
    "youtube-dl 18416", saw="a premiere or live stream gives a corrupt file instead of a message",
    here="only a finished recording is downloaded",
)  # fmt: skip
@pytest.mark.parametrize(
    ("info", "error"),
    [
        ({"live_status": "is_upcoming"}, NotYet),
        ({"live_status": "post_live", "is_live": False}, NotYet),
        ({"live_status": "is_live"}, Rejected),
        ({"is_live": True}, Rejected),
        ({"_type": "playlist"}, Rejected),
        (None, Rejected),
    ],
)
def test_only_a_finished_recording_is_downloaded(info: dict[str, Any] | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_kind(info)
    check_kind({"live_status": "was_live", "_type": "video"})


def test_a_stream_that_is_too_large_is_rejected(server: FaultServer, make_clip: MakeClip, tmp_path: Path) -> None:
    url, _ = hls(server, make_clip)
    record = download(url, tmp_path, max_size_mb=0.01)
    assert (record["status"], record["attempts"]) == ("rejected", 1)
