"""A store knows which run folders use its entries."""

import hashlib
import json
from pathlib import Path

from scripts.download.store import entry_of
from scripts.download.store_users import (
    entries_of,
    other_runs,
    read_used_entries,
    register_used_entries,
    write_used_entries,
)

ONE, TWO = "https://a.example/1", "https://a.example/2"


def test_a_run_folder_keeps_the_entries_that_it_used_before(tmp_path: Path) -> None:
    register_used_entries(tmp_path, tmp_path / "run", [ONE, "clips/mine.mp4"])
    register_used_entries(tmp_path, tmp_path / "run", [TWO])
    assert read_used_entries(tmp_path, tmp_path / "run") == entries_of(tmp_path, [ONE, TWO])
    assert read_used_entries(tmp_path, tmp_path / "other") == set()


def test_equal_entries_write_nothing(tmp_path: Path) -> None:
    register_used_entries(tmp_path, tmp_path / "run", [ONE])
    [file] = (tmp_path / "runs").iterdir()
    before = file.stat().st_mtime_ns, file.stat().st_ino
    register_used_entries(tmp_path, tmp_path / "run", [ONE])
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_other_runs_are_named_with_the_file_that_records_them(tmp_path: Path) -> None:
    for name in ("run", "other"):
        register_used_entries(tmp_path, tmp_path / name, [ONE])
    (found,) = other_runs(tmp_path, excluding=tmp_path / "run").items()
    assert found[0].startswith(f"{tmp_path / 'other'} (recorded in {tmp_path / 'runs'}")
    assert found[1] == {entry_of(tmp_path, ONE).name}


def test_a_name_that_is_no_entry_is_ignored(tmp_path: Path) -> None:
    write_used_entries(tmp_path, tmp_path / "run", ["../outside", "sites", "A" * 24, "a" * 25, "a" * 24])
    assert read_used_entries(tmp_path, tmp_path / "run") == {"a" * 24}
    [file] = (tmp_path / "runs").iterdir()
    assert json.loads(file.read_text())["folder"] == str(tmp_path / "run")


def test_both_entries_of_a_video_with_an_old_one_are_in_use(tmp_path: Path) -> None:
    short = "https://youtu.be/aaaaaaaaaaa?si=x"
    assert len(entries_of(tmp_path, [short])) == 1
    old = tmp_path / hashlib.sha256(short.encode()).hexdigest()[:24]
    (old / "720p-x").mkdir(parents=True)
    (old / "720p-x/media.mp4").touch()
    new = entry_of(tmp_path, "https://www.youtube.com/watch?v=aaaaaaaaaaa")
    assert entries_of(tmp_path, [short]) == {old.name, new.name}
