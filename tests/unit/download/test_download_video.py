"""A video is downloaded once into the store, linked and described."""

import importlib.metadata
import json
import shutil
from pathlib import Path

import pytest

from tests._download import download
from tests._server import FaultServer


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
    assert not {"began_at", "recorded_at"} & set(record), "equal runs write equal bytes"
    assert (tmp_path / "out/media/media.mp4").read_bytes() == clip.read_bytes()
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    assert stored.samefile(tmp_path / "out/media/media.mp4")
    assert not any("s3cret" in p.read_text(errors="ignore") for p in tmp_path.rglob("video.json"))
    assert not list((tmp_path / "store").glob("*/*/partial"))


def test_a_stored_video_is_not_downloaded_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    first = download(server.add("/clip.mp4", clip), tmp_path)
    asked = server.requests.total()
    del server.files["/clip.mp4"]
    second = download(server.url("/clip.mp4"), tmp_path, attempts=1)
    assert second == first and server.requests.total() == asked


def test_local_files_are_linked_and_not_stored(clip: Path, tmp_path: Path) -> None:
    record = download(str(clip), tmp_path)
    assert (record["status"], record["url"], record["attempts"]) == ("ok", "plain.mp4", 0)
    assert (tmp_path / "out/media/media.mp4").samefile(clip) and not (tmp_path / "store").exists()
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    assert download(str(tmp_path / "x.mp4"), tmp_path)["status"] == "invalid_media"


def test_a_stored_record_without_its_file_is_downloaded_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    download(url, tmp_path)
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    stored.unlink()
    assert download(url, tmp_path)["status"] == "ok" and stored.is_file()


def test_a_stored_file_of_another_size_is_downloaded_again(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/clip.mp4", clip)
    download(url, tmp_path)
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    shutil.rmtree(tmp_path / "out")
    stored.write_bytes(clip.read_bytes()[:1000])
    assert download(url, tmp_path)["status"] == "ok"
    assert (tmp_path / "out/media/media.mp4").read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("path", ["/clip?token=s3cret-1", "/clip.mp4?token=aaa.s3cret-1.bbb", "/none?sig=s3cret-1"])
def test_a_record_holds_no_secret_of_the_url(server: FaultServer, clip: Path, tmp_path: Path, path: str) -> None:
    server.add("/clip.mp4", clip)
    server.add("/clip", clip)
    server.add("/none", b"<html>nothing</html>", "text/html")
    record = download(server.url(path), tmp_path)
    assert record["status"] == ("unsupported" if "none" in path else "ok")
    assert "s3cret" not in json.dumps(record)


def test_a_video_gone_from_its_site_is_replaced_by_a_stored_format(
    server: FaultServer, clip: Path, tmp_path: Path
) -> None:
    first = download(server.add("/clip.mp4", clip), tmp_path)
    del server.files["/clip.mp4"]
    second = download(server.url("/clip.mp4"), tmp_path, max_height_px=360)
    assert (second["status"], second["media"]) == ("ok", first["media"])
    assert second["message"].startswith("unavailable: ") and "used instead" in second["message"]
    server.faults["/clip.mp4"] = (503, 99)
    assert download(server.url("/clip.mp4"), tmp_path, max_height_px=360)["status"] == "failed", "it may come yet"
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    assert stored.read_bytes() == clip.read_bytes()


def test_a_video_that_an_earlier_version_stored_gets_the_facts_that_it_lacks(
    server: FaultServer, clip: Path, tmp_path: Path
) -> None:
    url = server.add("/clip.mp4", clip)
    whole = download(url, tmp_path)
    [stored] = (tmp_path / "store").glob("*/*/video.json")
    record = json.loads(stored.read_text())
    for key in ("track", "tracks", "matrix", "transfer", "primaries"):
        del record["media"][key]
    stored.write_text(json.dumps(record))
    asked = server.requests.total()
    assert download(url, tmp_path) == whole and server.requests.total() == asked
