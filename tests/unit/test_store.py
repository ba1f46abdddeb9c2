"""What is deleted from the store, and what never is."""

import shutil
from pathlib import Path

import pytest

from scripts._files import write_json
from scripts._store import discard_media, entry_of, read_stored
from scripts._videos import Video

URL = "https://example.org/v.mp4"


def stored(store: Path, url: str = URL) -> Path:
    entry = entry_of(store, url, 720)
    write_json(entry / "video.json", {"media": {"file": "media.mp4"}})
    (entry / "media.mp4").write_bytes(b"video")
    return entry


def row(video: str, url: str = URL) -> Video:
    return Video(video, url, 0.0, None, "")


def filtered(folder: Path, *videos: str) -> None:
    for video in videos:
        (folder / video).mkdir(parents=True)
        (folder / video / "filter.parquet").touch()


def test_a_video_goes_when_all_its_parts_are_filtered(tmp_path: Path) -> None:
    entry, other = stored(tmp_path / "store"), stored(tmp_path / "store", "https://example.org/w.mp4")
    videos = {"a": row("a"), "b": row("b"), "c": row("c", "https://example.org/w.mp4")}
    filtered(tmp_path / "filtered", "a")
    discard_media("a", videos, tmp_path, tmp_path / "store", 720)
    assert read_stored(entry)
    filtered(tmp_path / "filtered", "b")
    discard_media("b", videos, tmp_path, tmp_path / "store", 360)
    assert read_stored(entry), "another format is another entry"
    link = tmp_path / "download/a/media/media.mp4"
    link.parent.mkdir(parents=True)
    link.symlink_to(entry / "media.mp4")
    discard_media("b", videos, tmp_path, tmp_path / "store", 720)
    assert read_stored(entry), "another part waits to be extracted again"
    shutil.rmtree(link.parent)
    discard_media("b", videos, tmp_path, tmp_path / "store", 720)
    assert read_stored(entry) is None and not (entry / "media.mp4").exists()
    assert read_stored(other)
    discard_media("b", videos, tmp_path, tmp_path / "store", 720)
    discard_media("no longer listed", videos, tmp_path, tmp_path / "store", 720)


def test_a_local_file_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.mp4").write_bytes(b"video")
    Path("download/a/media").mkdir(parents=True)
    Path("download/a/media/media.mp4").symlink_to(tmp_path / "mine.mp4")
    filtered(tmp_path / "filtered", "a")
    discard_media("a", {"a": row("a", "mine.mp4")}, tmp_path, tmp_path / "store", 720)
    assert Path("mine.mp4").exists() and not (tmp_path / "store").exists()
    assert not Path("download/a/media").exists()
