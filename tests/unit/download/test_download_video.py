"""A video is downloaded once into the store, linked and described."""

import importlib.metadata
import json
import shutil
from pathlib import Path

import pytest

from scripts.core.characters import MOST_CHARACTERS, UNSAFE
from scripts.core.files import read_json, write_json
from tests._download import download
from tests._server import FaultServer, Handler

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.exe\u2066"


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


def texts_in(value: object) -> list[str]:
    """Return all keys and texts in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.items() for text in texts_in(list(item))]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else [str(value)]


def check_texts(record: object) -> None:
    """Check that no text of a record is long or does anything to a terminal."""
    for text in texts_in(record):
        assert len(text) <= MOST_CHARACTERS and not UNSAFE.search(text), text


@pytest.mark.public_report(
    "yt-dlp 14281",
    saw="a control character in the title of a YouTube video reaches the terminal and file names",
    here="control characters and marks of direction become spaces where a text is recorded",
)
def test_a_hostile_title_is_recorded_short_and_printable(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    video = f'<video src="{server.add("/v.mp4", clip)}"></video>'
    title = f"{HOSTILE} evening {'x' * 200_000}"
    record = download(server.add("/p", f"<html><title>{title}</title>{video}</html>", "text/html"), tmp_path)
    assert record["status"] == "ok" and "evening" in record["source"]["title"]
    check_texts(record)
    [stored] = (tmp_path / "store").glob("*/*/video.json")
    check_texts(read_json(stored))


def test_a_hostile_reason_phrase_is_recorded_printable(server: FaultServer, tmp_path: Path) -> None:
    def refuse(handler: Handler) -> None:
        handler.send_response(404, f"gone \x1b[2J\x07\x9b {'x' * 5000}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.acts["/p"] = [refuse]
    record = download(server.url("/p"), tmp_path)
    assert record["status"] == "unavailable" and "gone" in record["message"]
    check_texts(record)


def test_texts_of_a_planted_record_pass_the_same_door(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url = server.add("/v.mp4", clip)
    download(url, tmp_path)
    [path] = (tmp_path / "store").glob("*/*/video.json")
    planted = read_json(path)
    planted |= {"message": HOSTILE * 1000, "source": {"title": HOSTILE + "x" * 200_000, "tags": ["a"] * 9999}}
    planted["media"]["codec"] = HOSTILE
    write_json(path, planted)
    record = download(url, tmp_path)
    assert record["status"] == "ok" and len(record["source"]["tags"]) == 100
    check_texts(record)


@pytest.mark.parametrize("label", ["a" * 300, ".".join(["abcdefgh"] * 40)])
def test_a_host_whose_name_is_too_long_fails_alone(tmp_path: Path, label: str) -> None:
    record = download(f"http://{label}.example/v.mp4", tmp_path, attempts=1)
    assert record["status"] in ("failed", "unsupported") and record["message"], record
