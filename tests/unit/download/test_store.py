"""What is deleted from the store, and what never is."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.core.files import write_json
from scripts.download.store import discard_media, entry_of, is_disk_fault, other_versions, read_stored, version_of
from scripts.inputs.rows import parts_of
from tests._downloads import FORM, URL, stored


def discard(folder: Path, video: str, options: dict[str, Any] = FORM) -> None:
    parts = parts_of({"videos": str(folder / "videos.tsv"), "exclude": ["d"]}, video)
    discard_media(video, parts, folder, folder / "store", options)


def filtered(folder: Path, *videos: str) -> None:
    for video in videos:
        (folder / video).mkdir(parents=True)
        (folder / video / "filter.parquet").touch()


def test_a_video_goes_when_all_its_parts_are_filtered(tmp_path: Path) -> None:
    entry, other = stored(tmp_path / "store"), stored(tmp_path / "store", "https://example.org/w.mp4")
    rows = [("b", URL), ("a", URL), ("c", "https://example.org/w.mp4"), ("d", URL), ("bb", URL + "?a")]
    (tmp_path / "videos.tsv").write_text("".join(f"{video}\t{url}\n" for video, url in [("video", "url"), *rows]))
    filtered(tmp_path / "filtered", "a")
    discard(tmp_path, "a")
    assert read_stored(entry)
    filtered(tmp_path / "filtered", "b")
    discard(tmp_path, "b", FORM | {"max_height_px": 360})
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


def test_what_decides_on_the_format_has_a_place_of_its_own(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, URL)
    own = FORM | {"ytdlp": {"format": "b"}}
    folders = {version_of(entry, options) for options in (FORM, FORM | {"max_height_px": 360}, own)}
    assert len(folders) == 3
    assert version_of(entry, FORM | {"ytdlp": {"ratelimit": 1}}) == version_of(entry, FORM)
    assert "example" not in str(entry), "addresses may hold secrets"


def test_the_tallest_other_version_comes_first(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, URL)
    for height in (360, 1080, 720):
        folder = version_of(entry, FORM | {"max_height_px": height})
        write_json(folder / "video.json", {"media": {"file": "media.mp4", "bytes": 5, "height": height}})
        (folder / "media.mp4").write_bytes(b"video")
    found = other_versions(version_of(entry, FORM))
    assert [record["media"]["height"] for record, _ in found] == [1080, 360]


def test_refused_connections_are_not_blamed_on_the_disk() -> None:
    assert not is_disk_fault(PermissionError(13, "Permission denied"))
    assert is_disk_fault(PermissionError(13, "Permission denied", "media.part"))
    assert is_disk_fault(OSError(28, "No space left on device"))
