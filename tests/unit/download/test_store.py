"""What is deleted from the store, and what never is."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.download.options import DownloadOptions
from scripts.download.store import (
    discard_media,
    entry_of,
    form_of,
    is_disk_fault,
    other_versions,
    read_stored,
    version_of,
)
from scripts.inputs.rows import parts_of
from tests._download import URL, put_in_store
from tests.conftest import download_options

FORM = download_options()


def discard(folder: Path, video: str, options: DownloadOptions = FORM) -> None:
    parts = parts_of({"videos": str(folder / "videos.tsv"), "exclude": ["d"]}, video)
    discard_media(video, parts, folder, folder / "store", options)


def filtered(folder: Path, *videos: str) -> None:
    for video in videos:
        (folder / video).mkdir(parents=True)
        (folder / video / "filter.parquet").touch()


def test_a_video_is_deleted_when_all_its_parts_are_filtered(tmp_path: Path) -> None:
    entry, other = put_in_store(tmp_path / "store"), put_in_store(tmp_path / "store", "https://example.org/w.mp4")
    rows = [("b", URL), ("a", URL), ("c", "https://example.org/w.mp4"), ("d", URL), ("bb", URL + "?a")]
    (tmp_path / "videos.tsv").write_text("".join(f"{video}\t{url}\n" for video, url in [("video", "url"), *rows]))
    filtered(tmp_path / "filtered", "a")
    discard(tmp_path, "a")
    assert read_stored(entry)
    filtered(tmp_path / "filtered", "b")
    discard(tmp_path, "b", replace(FORM, max_height_px=360))
    assert read_stored(entry), "another format is another entry"
    link = tmp_path / "download/a/media/media.mp4"
    link.parent.mkdir(parents=True)
    link.symlink_to(entry / "media.mp4")
    discard(tmp_path, "b")
    assert read_stored(entry), "another part waits to be extracted again"
    shutil.rmtree(link.parent)
    discard(tmp_path, "b")
    assert read_stored(entry) is None and not (entry / "media.mp4").exists()
    assert read_stored(other)
    discard(tmp_path, "b")
    discard(tmp_path, "d")
    discard(tmp_path, "no longer listed")


def test_a_local_file_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.mp4").write_bytes(b"video")
    Path("download/a/media").mkdir(parents=True)
    Path("download/a/media/media.mp4").symlink_to(tmp_path / "mine.mp4")
    filtered(tmp_path / "filtered", "a")
    Path("videos.tsv").write_text("video\turl\na\tmine.mp4\n")
    discard(tmp_path, "a")
    assert Path("mine.mp4").exists() and not (tmp_path / "store").exists()
    assert not Path("download/a/media").exists()


def test_each_choice_of_format_has_its_own_folder(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, URL)
    own = replace(FORM, ytdlp={"format": "b"})
    folders = {version_of(entry, options) for options in (FORM, replace(FORM, max_height_px=360), own)}
    assert len(folders) == 3
    assert version_of(entry, replace(FORM, ytdlp={"ratelimit": 1})) == version_of(entry, FORM)
    assert "example" not in str(entry), "addresses may hold secrets"


@pytest.mark.parametrize(
    ("changes", "form", "name"),
    [
        ({}, [720, None, None], "720p-703bce9b"),
        ({"max_height_px": 1080, "ytdlp": {"format": "b[ext=mp4]"}}, [1080, "b[ext=mp4]", None], "1080p-ddee70cb"),
        (
            {"max_height_px": 360, "ytdlp": {"format": "b", "format_sort": ["res:360", "fps"], "ratelimit": 5}},
            [360, "b", ["res:360", "fps"]],
            "360p-e475751d",
        ),
        (
            {"max_height_px": 480, "ytdlp": {"format_sort": ["vcodec:h264"]}},
            [480, None, ["vcodec:h264"]],
            "480p-be8a8272",
        ),
    ],
)
def test_names_in_the_store_never_change(changes: dict[str, Any], form: list[Any], name: str) -> None:
    """Other names, or another value of the rule parameter `form`, would download all videos again."""
    entry = entry_of(Path("store"), "https://example.org/v.mp4?token=1")
    assert entry == Path("store/ac463fab70120278ef43568a")
    options = download_options(**changes)
    assert form_of(options) == form and version_of(entry, options) == entry / name


def test_a_stored_video_has_a_record_and_a_file_of_the_same_size(tmp_path: Path) -> None:
    version = put_in_store(tmp_path)
    stored = read_stored(version)
    assert stored and (stored.path, stored.media["height"]) == (version / "media.mp4", 720)
    (version / "media.mp4").write_bytes(b"vide")
    assert read_stored(version) is None
    put_in_store(tmp_path)
    (version / "video.json").write_text("{")
    assert read_stored(version) is None


def test_the_tallest_other_version_comes_first(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, URL)
    for height in (360, 1080, 720):
        put_in_store(tmp_path, max_height_px=height)
    found = other_versions(version_of(entry, FORM))
    assert [stored.media["height"] for stored in found] == [1080, 360]


def test_refused_connections_are_not_blamed_on_the_disk() -> None:
    assert not is_disk_fault(PermissionError(13, "Permission denied"))
    assert is_disk_fault(PermissionError(13, "Permission denied", "media.part"))
    assert is_disk_fault(OSError(28, "No space left on device"))


def test_all_addresses_of_a_video_share_an_entry_also_one_of_an_earlier_version(tmp_path: Path) -> None:
    plain, short = "https://www.youtube.com/watch?v=aaaaaaaaaaa", "https://youtu.be/aaaaaaaaaaa?si=x"
    assert entry_of(tmp_path, short) == entry_of(tmp_path, plain)
    old = tmp_path / hashlib.sha256(short.encode()).hexdigest()[:24]
    (old / "720p-x").mkdir(parents=True)
    (old / "720p-x/media.mp4").touch()
    assert entry_of(tmp_path, short) == old != entry_of(tmp_path, plain), "its upload may be gone"
    (entry_of(tmp_path, plain) / "720p-x").mkdir(parents=True)
    (entry_of(tmp_path, plain) / "720p-x/media.mp4").touch()
    assert entry_of(tmp_path, short) == entry_of(tmp_path, plain)
