"""Downloads from a real server with real faults: each becomes the right status, and nothing stored is ever lost."""

import importlib.metadata
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts._log import UserError
from scripts.download_video import _stop_if_local, download_video, ytdlp_options
from tests._server import FaultServer
from tests.conftest import H264, MakeClip, pattern

OPTIONS = {"max_height_px": 720, "attempts": 3, "wait_s": 0.01, "timeout_s": 2, "deadline_s": 30, "max_size_mb": 50}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def download(url: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Run the stage and return its record."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    download_video("v", url, out, folder / "store", OPTIONS | options)
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
    [stored] = (tmp_path / "store").glob("*/media.mp4")
    assert stored.samefile(tmp_path / "out/media/media.mp4")
    assert not any("s3cret" in p.read_text(errors="ignore") for p in tmp_path.rglob("video.json"))
    assert not list((tmp_path / "store").glob("*/partial"))


def test_what_is_stored_is_never_fetched_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    first = download(server.add("/clip.mp4", clip), tmp_path)
    asked = server.requests.total()
    del server.files["/clip.mp4"]
    second = download(server.url("/clip.mp4"), tmp_path, attempts=1)
    assert second == first and server.requests.total() == asked
    assert download(server.url("/clip.mp4"), tmp_path, max_height_px=360)["status"] == "unavailable"


@pytest.mark.parametrize(
    ("status", "times", "expected", "attempts"),
    [
        (404, 99, "unavailable", 1),
        (410, 99, "unavailable", 1),
        (403, 99, "forbidden", 1),
        (401, 99, "forbidden", 1),
        (429, 99, "blocked", 3),
        (503, 99, "failed", 3),
        (500, 2, "ok", 3),
        (429, 1, "ok", 2),
    ],
)
def test_http_errors(
    server: FaultServer, clip: Path, tmp_path: Path, status: int, times: int, expected: str, attempts: int
) -> None:
    url = server.add("/clip.mp4", clip)
    server.faults["/clip.mp4"] = (status, times)
    record = download(url, tmp_path)
    assert (record["status"], record["attempts"]) == (expected, attempts)
    if expected != "ok":
        assert record["http_status"] == status and f"HTTP Error {status}" in record["message"]


def test_dead_hosts(tmp_path: Path) -> None:
    record = download("http://127.0.0.1:9/clip.mp4", tmp_path)
    assert (record["status"], record["attempts"]) == ("failed", 3)
    assert "refused" in record["message"]
    record = download("https://reelsieve.invalid/clip.mp4", tmp_path, attempts=1)
    assert (record["status"], record["attempts"]) == ("failed", 1)
    assert "resolve" in record["message"] and "caused by" not in record["message"]


@pytest.mark.parametrize(("body", "kind"), [(b"<html>log in</html>", "video/mp4"), (b"\x89PNG\r\n\x1a\n", "video/mp4")])
def test_what_is_no_video_is_invalid_whatever_the_server_calls_it(
    server: FaultServer, tmp_path: Path, body: bytes, kind: str
) -> None:
    record = download(server.add("/clip.mp4", body, kind), tmp_path)
    assert record["status"] == "invalid_media" and "not a video" in record["message"]
    assert not list((tmp_path / "store").glob("*/media*"))


def test_pages(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.add("/a.mp4", clip)
    server.add("/b.mp4", clip)
    one = server.add("/one", b'<html><video src="/a.mp4"></video></html>', "text/html")
    two = server.add("/two", b'<html><video src="/a.mp4"></video><video src="/b.mp4"></video></html>', "text/html")
    none = server.add("/none", b"<html>nothing here</html>", "text/html")
    assert download(one, tmp_path)["status"] == "ok"
    record = download(two, tmp_path)
    assert record["status"] == "rejected" and "expand_sources" in record["message"]
    assert download(none, tmp_path)["status"] == "unsupported"


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

    def to_full(partial: Path, options: dict[str, Any]) -> dict[str, Any]:
        (partial / "media.mp4.mp4.part").symlink_to(full)
        return ytdlp_options(partial, options)

    monkeypatch.setattr("scripts.download_video.ytdlp_options", to_full)
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
    [stored] = (tmp_path / "store").glob("*/media.mp4")
    stored.unlink()
    assert download(url, tmp_path)["status"] == "ok" and stored.is_file()


def test_what_will_not_be_resumed_is_not_kept(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    download(server.add("/clip.mp4", clip), tmp_path, max_size_mb=0.01)
    assert [p.name for p in (tmp_path / "store").glob("*/*")] == ["lock"]


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


def test_playlists_that_only_ffmpeg_could_fetch_are_not_fetched(
    server: FaultServer, make_clip: MakeClip, tmp_path: Path
) -> None:
    segment = make_clip("segment.ts", *pattern(2), *H264)
    server.add("/s.ts", segment, "video/mp2t")
    for name, extra in (("plain", ""), ("locked", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AA=="\n')):
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{extra}#EXTINF:2,\n{server.url('/s.ts')}\n#EXT-X-ENDLIST\n"
        url = server.add(f"/{name}.m3u8", text.encode(), "application/vnd.apple.mpegurl")
        record = download(url, tmp_path, attempts=1)
        assert record["status"] == ("ok" if name == "plain" else "failed"), record
        assert download(url + "?big", tmp_path, attempts=1, max_size_mb=0.001)["status"] != "ok"


def test_refused_connections_are_not_blamed_on_the_disk(tmp_path: Path) -> None:
    _stop_if_local(PermissionError(13, "Permission denied"), tmp_path)
    with pytest.raises(UserError, match="cannot write to the store"):
        _stop_if_local(PermissionError(13, "Permission denied", "media.part"), tmp_path)
