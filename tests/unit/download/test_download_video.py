"""Downloads from a real server with real faults: each becomes the right status, and nothing stored is ever lost."""

import importlib.metadata
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.download_video import download_video
from scripts.download.ytdlp import video_options
from tests._server import FaultServer, cut_short, refuse, serve
from tests._streams import hls
from tests.conftest import H264, MakeClip, download_options, pattern


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def download(url: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Run the stage and return its record."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    download_video("v", url, out, folder / "store", download_options(**options))
    record: dict[str, Any] = json.loads((out / "video.json").read_text())
    files = {p.name for p in (out / "media").iterdir()}
    assert files == ({record["media"]["file"]} if record["status"] == "ok" else set())
    return record


def test_a_video_is_stored_linked_and_described(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    record = download(server.add("/clip.mp4", clip) + "?token=s3cret", tmp_path)
    assert (record["status"], record["attempts"], record["url"]) == ("ok", 1, server.url("/clip.mp4"))
    assert record["yt_dlp"] == importlib.metadata.version("yt-dlp")
    media = record["media"]
    assert (media["codec"], media["width"], media["height"], media["fps"], media["duration_s"]) == (
        "h264",
        320,
        180,
        25,
        6,
    )
    assert media["bytes"] == clip.stat().st_size
    assert (tmp_path / "out/media/media.mp4").read_bytes() == clip.read_bytes()
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    assert stored.samefile(tmp_path / "out/media/media.mp4")
    assert not any("s3cret" in p.read_text(errors="ignore") for p in tmp_path.rglob("video.json"))
    assert not list((tmp_path / "store").glob("*/*/partial"))


def test_what_is_stored_is_never_fetched_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    first = download(server.add("/clip.mp4", clip), tmp_path)
    asked = server.requests.total()
    del server.files["/clip.mp4"]
    second = download(server.url("/clip.mp4"), tmp_path, attempts=1)
    assert second == first and server.requests.total() == asked


def test_limits_of_size_and_time(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    record = download(url, tmp_path, max_size_mb=0.01)
    assert (record["status"], record["attempts"]) == ("rejected", 1) and "max_size_mb" in record["message"]
    server.faults["/clip.mp4"] = (503, 99)
    record = download(url, tmp_path, attempts=20, wait_s=600, deadline_s=1)
    assert record["status"] == "failed" and "deadline_s = 1 s" in record["message"]


def test_a_full_or_closed_store_stops_the_job_instead_of_blaming_the_video(
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


def test_local_files_are_linked_and_never_reach_the_store(clip: Path, tmp_path: Path) -> None:
    record = download(str(clip), tmp_path)
    assert (record["status"], record["url"], record["attempts"]) == ("ok", "plain.mp4", 0)
    assert (tmp_path / "out/media/media.mp4").samefile(clip) and not (tmp_path / "store").exists()
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    assert download(str(tmp_path / "x.mp4"), tmp_path)["status"] == "invalid_media"


def test_a_stored_record_without_its_file_is_fetched_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    download(url, tmp_path)
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    stored.unlink()
    assert download(url, tmp_path)["status"] == "ok" and stored.is_file()


def test_what_will_not_be_resumed_is_not_kept(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    download(server.add("/clip.mp4", clip), tmp_path, max_size_mb=0.01)
    assert not [path for path in (tmp_path / "store").glob("*/*/*") if "sites" not in path.parts]


@pytest.mark.parametrize("path", ["/clip?token=s3cret-1", "/clip.mp4?token=aaa.s3cret-1.bbb", "/none?sig=s3cret-1"])
def test_no_part_of_a_record_holds_a_secret_of_the_address(
    server: FaultServer, clip: Path, tmp_path: Path, path: str
) -> None:
    server.add("/clip.mp4", clip)
    server.add("/clip", clip)
    server.add("/none", b"<html>nothing</html>", "text/html")
    record = download(server.url(path), tmp_path)
    assert record["status"] == ("unsupported" if "none" in path else "ok")
    assert "s3cret" not in json.dumps(record)


def test_what_is_gone_from_the_site_but_stored_in_another_format_stands_in(
    server: FaultServer, clip: Path, tmp_path: Path
) -> None:
    first = download(server.add("/clip.mp4", clip), tmp_path)
    del server.files["/clip.mp4"]
    second = download(server.url("/clip.mp4"), tmp_path, max_height_px=360)
    assert (second["status"], second["media"]) == ("ok", first["media"])
    assert second["message"].startswith("unavailable: ") and "in its place" in second["message"]
    server.faults["/clip.mp4"] = (503, 99)
    assert download(server.url("/clip.mp4"), tmp_path, max_height_px=360)["status"] == "failed", "it may come yet"
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    assert stored.read_bytes() == clip.read_bytes()


def test_a_stored_file_that_was_cut_is_fetched_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    download(url, tmp_path)
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    shutil.rmtree(tmp_path / "out")
    stored.write_bytes(clip.read_bytes()[:1000])
    assert download(url, tmp_path)["media"]["bytes"] == clip.stat().st_size


def test_another_format_is_tried_if_the_first_is_no_whole_video(
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


def test_playlists_that_only_ffmpeg_could_fetch_are_not_fetched(
    server: FaultServer, make_clip: MakeClip, tmp_path: Path
) -> None:
    segment = make_clip("segment.ts", *pattern(2), *H264)
    server.add("/s.ts", segment, "video/mp2t")
    key = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AA=="\n'
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{key}#EXTINF:2,\n{server.url('/s.ts')}\n#EXT-X-ENDLIST\n"
    url = server.add("/locked.m3u8", text, "application/vnd.apple.mpegurl")
    record = download(url, tmp_path)
    assert (record["status"], record["attempts"]) == ("unsupported", 1) and "is not fetched" in record["message"]


def test_an_invalid_file_is_fetched_once_more_however_few_attempts_there_are(
    server: FaultServer, clip: Path, tmp_path: Path
) -> None:
    server.acts["/clip.mp4"] = [serve, cut_short(0.5), serve]
    server.add("/clip.mp4", clip)
    record = download(server.url("/clip.mp4"), tmp_path, attempts=1)
    assert (record["status"], record["attempts"]) == ("ok", 2)


def test_what_no_file_can_hold_is_replaced(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.add("/clip.mp4", clip)
    data = '{"@context":"https://schema.org","@type":"VideoObject","name":"bad \\ud83d title","contentUrl":"/clip.mp4"}'
    page = (
        f'<html><script type="application/ld+json">{data.replace("/clip.mp4", server.url("/clip.mp4"))}</script></html>'
    )
    record = download(server.add("/page", page, "text/html"), tmp_path)
    assert (record["status"], record["source"]["title"]) == ("ok", "bad ? title")


def test_a_stream_is_resumed_only_if_its_pieces_are_the_same(
    server: FaultServer, make_clip: MakeClip, tmp_path: Path
) -> None:
    url, segments = hls(server, make_clip)
    server.acts[segments[3]] = [refuse(500)]
    assert download(url, tmp_path)["status"] == "failed"
    server.acts.clear()
    server.log.clear()
    before = server.files[segments[0]]
    record = download(url, tmp_path)
    fetched = [request.path for request in server.log]
    assert record["status"] == "ok" and segments[1] not in fetched and segments[4] in fetched
    whole = record["media"]["sha256"]
    shutil.rmtree(tmp_path / "store")
    server.acts[segments[3]] = [refuse(500)]
    assert download(url, tmp_path)["status"] == "failed"
    server.acts.clear()
    server.log.clear()
    server.files[segments[0]] = (before[0], before[1] + before[1][-188:])  # the first piece is another one now
    record = download(url, tmp_path)
    assert record["status"] == "ok" and segments[1] in [request.path for request in server.log]
    assert record["media"]["sha256"] != whole


def test_too_large_a_stream_is_given_up(server: FaultServer, make_clip: MakeClip, tmp_path: Path) -> None:
    url, _ = hls(server, make_clip)
    record = download(url, tmp_path, max_size_mb=0.01)
    assert (record["status"], record["attempts"]) == ("rejected", 1)
