"""What is purged from a store, and what never is."""

import os
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.download.purge_excluded import purge_excluded
from scripts.download.store import entry_of, version_of
from scripts.download.store_users import entries_of, read_used_entries, register_used_entries, write_used_entries
from tests._download import download, put_in_store
from tests._server import FaultServer, refuse
from tests._streams import hls
from tests.conftest import MakeClip, download_options

ONE, TWO, THREE = (f"https://example.org/{name}.mp4" for name in ("one", "two", "three"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store that holds three sources, all recorded for the run folder `run`."""
    for url in (ONE, TWO, THREE):
        put_in_store(tmp_path / "store", url)
    register_used_entries(tmp_path / "store", tmp_path / "run", [ONE, TWO, THREE, "clips/mine.mp4"])
    return tmp_path / "store"


def purge(store: Path, run: Path, *urls: str) -> None:
    """Purge with a table of these URLs."""
    purge_excluded(store, run, urls, urls, max_removed_share=1)


def there(store: Path) -> list[bool]:
    return [(version_of(entry_of(store, url), download_options()) / "media.mp4").exists() for url in (ONE, TWO, THREE)]


def test_unused_media_are_logged_and_deleted(store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    purge(store, tmp_path / "run", TWO, THREE)
    assert there(store) == [False, True, True] and not entry_of(store, ONE).exists()
    assert "media.mp4, 0.0 MB" in caplog.text and str(entry_of(store, ONE)) in caplog.text
    assert read_used_entries(store, tmp_path / "run") == entries_of(store, [TWO, THREE])


def test_a_source_that_this_run_folder_never_used_stays(store: Path, tmp_path: Path) -> None:
    stranger = put_in_store(store, "https://example.org/four.mp4")
    purge(store, tmp_path / "run")
    assert there(store) == [False, False, False] and (stranger / "media.mp4").exists()
    purge(store, tmp_path / "another run folder")
    assert (stranger / "media.mp4").exists()


def test_media_of_another_run_folder_stay(store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    register_used_entries(store, tmp_path / "other", [TWO])
    purge(store, tmp_path / "run", THREE)
    assert there(store) == [False, True, True]
    assert f"also used by the run folder {tmp_path / 'other'}" in caplog.text
    assert read_used_entries(store, tmp_path / "run") == entries_of(store, [TWO, THREE]), "it can be purged later"


def test_media_with_another_hard_link_stay(store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.link(version_of(entry_of(store, ONE), download_options()) / "media.mp4", tmp_path / "link.mp4")
    purge(store, tmp_path / "run")
    assert there(store) == [True, False, False] and "hard link elsewhere" in caplog.text
    (tmp_path / "link.mp4").unlink()
    purge(store, tmp_path / "run")
    assert there(store) == [False, False, False]


def test_nothing_outside_the_store_is_touched(store: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "media.mp4").write_bytes(b"mine")
    link = entry_of(store, "https://example.org/five.mp4")
    link.symlink_to(outside)
    write_used_entries(store, tmp_path / "run", [link.name, "../outside", "models", "sites", str(outside)])
    (store / "models").mkdir()
    purge(store, tmp_path / "run")
    assert (outside / "media.mp4").exists() and (store / "models").exists() and link.is_symlink()
    assert there(store) == [True, True, True]


def test_a_wrong_table_purges_nothing(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 of 3 videos.*max_removed_share = 0.2.*max_removed_share=1"):
        purge_excluded(store, tmp_path / "run", [ONE], [ONE], max_removed_share=0.2)
    assert there(store) == [True, True, True]


def test_any_number_of_rows_can_be_excluded(store: Path, tmp_path: Path) -> None:
    purge_excluded(store, tmp_path / "run", [ONE, TWO, THREE], [ONE], max_removed_share=0.2)
    assert there(store) == [True, False, False]


@pytest.mark.public_report(
    "iejMac/video2dataset 304", saw="parts of failed downloads stay in the temporary folder and fill the disk",
    here="parts that a retry continues are kept in the store, and are purged with their video",
)  # fmt: skip
def test_parts_of_a_failed_download_are_purged_too(server: FaultServer, make_clip: MakeClip, tmp_path: Path) -> None:
    url, segments = hls(server, make_clip)
    server.acts[segments[3]] = [refuse(500)]
    assert download(url, tmp_path)["status"] == "failed"
    entry = entry_of(tmp_path / "store", url)
    assert [path for path in entry.rglob("partial/*") if path.stat().st_size > 1000]
    register_used_entries(tmp_path / "store", tmp_path / "run", [url])
    purge(tmp_path / "store", tmp_path / "run")
    assert not entry.exists()
    server.acts[segments[3]] = [refuse(404)]
    download(url, tmp_path)
    assert not list(entry.rglob("partial/*")), "no retry would continue it"
