"""What is purged from a store, and what never is."""

import os
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.download.purge_excluded import purge_excluded
from scripts.download.store import entry_of, version_of
from scripts.download.store_users import entries_of, read_used_entries, register_used_entries, write_used_entries
from scripts.inputs.rows import check_removed
from tests._downloads import FORM, stored

ONE, TWO, THREE = (f"https://example.org/{name}.mp4" for name in ("one", "two", "three"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store that holds three sources, all noted for the run folder `run`."""
    for url in (ONE, TWO, THREE):
        stored(tmp_path / "store", url)
    register_used_entries(tmp_path / "store", tmp_path / "run", [ONE, TWO, THREE, "clips/mine.mp4"])
    return tmp_path / "store"


def there(store: Path) -> list[bool]:
    return [(version_of(entry_of(store, url), FORM) / "media.mp4").exists() for url in (ONE, TWO, THREE)]


def test_what_no_row_uses_is_listed_with_its_size_and_goes(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    purge_excluded(store, tmp_path / "run", entries_of(store, [TWO, THREE]))
    assert there(store) == [False, True, True] and not entry_of(store, ONE).exists()
    assert "media.mp4, 0.0 MB" in caplog.text and str(entry_of(store, ONE)) in caplog.text
    assert read_used_entries(store, tmp_path / "run") == entries_of(store, [TWO, THREE])


def test_a_source_that_this_run_folder_never_used_stays(store: Path, tmp_path: Path) -> None:
    stranger = stored(store, "https://example.org/four.mp4")
    purge_excluded(store, tmp_path / "run", set())
    assert there(store) == [False, False, False] and (stranger / "media.mp4").exists()
    purge_excluded(store, tmp_path / "another run folder", set())
    assert (stranger / "media.mp4").exists()


def test_what_another_run_folder_uses_stays_and_is_named(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register_used_entries(store, tmp_path / "other", [TWO])
    purge_excluded(store, tmp_path / "run", entries_of(store, [THREE]))
    assert there(store) == [False, True, True]
    assert f"also used by the run folder {tmp_path / 'other'}" in caplog.text
    assert read_used_entries(store, tmp_path / "run") == entries_of(store, [TWO, THREE]), (
        "asked again, it is looked at again"
    )


def test_what_is_linked_elsewhere_stays(store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.link(version_of(entry_of(store, ONE), FORM) / "media.mp4", tmp_path / "link.mp4")
    purge_excluded(store, tmp_path / "run", set())
    assert there(store) == [True, False, False] and "hard link elsewhere" in caplog.text
    (tmp_path / "link.mp4").unlink()
    purge_excluded(store, tmp_path / "run", set())
    assert there(store) == [False, False, False]


def test_nothing_outside_the_store_is_touched(store: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "media.mp4").write_bytes(b"mine")
    link = entry_of(store, "https://example.org/five.mp4")
    link.symlink_to(outside)
    write_used_entries(store, tmp_path / "run", [link.name, "../outside", "models", "sites", str(outside)])
    (store / "models").mkdir()
    purge_excluded(store, tmp_path / "run", set())
    assert (outside / "media.mp4").exists() and (store / "models").exists() and link.is_symlink()
    assert there(store) == [True, True, True]


def test_a_wrong_table_purges_nothing() -> None:
    check_removed({"a"}, 1, 0.2)
    check_removed({"a", "b"}, 10, 0.2)
    with pytest.raises(UserError, match="3 of 10 videos.*max_removed_share = 0.2.*max_removed_share=1"):
        check_removed({"a", "b", "c"}, 10, 0.2)
    check_removed(set("abc"), 3, 1)
