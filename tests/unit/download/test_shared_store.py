"""A store that others write to: what they plant or damage in it leads nowhere else and stops no download."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.core.files import read_json, write_json
from scripts.download.resume import Partial
from scripts.download.store import entry_of, read_stored, version_of
from scripts.download.store_users import register_used_entries
from tests._download import URL, download, put_in_store
from tests._server import FaultServer, etag
from tests.conftest import download_options

FORM = download_options()


def tree(folder: Path) -> dict[str, bytes | str]:
    """Return all names in a folder, with the contents of files and the targets of links."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def victim_in(folder: Path) -> Path:
    """Make a folder of the user who runs a download from a store that others write to."""
    victim = folder / "victim"
    (victim / "config").mkdir(parents=True)
    (victim / "config/config.yaml").write_text("mine\n")
    (victim / "media.mp4").write_bytes(b"video")
    (victim / "keep").write_text("mine")
    return victim


@pytest.mark.public_report(
    "found by us 28",
    saw="a planted video.json in a shared store (file: ../../..) replaces the files of who reads it",
    here="the record is not taken: the video is downloaded again, under a name of ours",
)
@pytest.mark.parametrize(
    "name",
    [
        "../../../../victim/config/config.yaml", "/etc/hostname", "..", "media.mp4/../../../victim/keep", "media.",
        "media.mp4\n", ".media.mp4", "media.MP4", "sub/media.mp4", "", 5, None, ["media.mp4"],
    ],
)  # fmt: skip
def test_a_planted_record_names_no_file_elsewhere(
    server: FaultServer, clip: Path, tmp_path: Path, name: object
) -> None:
    victim, url = victim_in(tmp_path), server.add("/clip.mp4", clip)
    before = tree(victim)
    version = put_in_store(tmp_path / "store", url)
    record = read_json(version / "video.json")
    record["media"]["file"] = name
    write_json(version / "video.json", record)
    assert read_stored(version) is None
    made = download(url, tmp_path)
    assert (made["status"], made["media"]["file"]) == ("ok", "media.mp4") and tree(victim) == before


@pytest.mark.parametrize(
    "change",
    [
        {"media": None}, {"media": 5}, {"media": {"file": "media.mp4"}}, {"status": "failed"}, {"status": None},
        {"source": []}, {"recorded_at": 5}, {"message": None},
    ],
)  # fmt: skip
def test_a_record_of_another_form_is_not_taken(tmp_path: Path, change: dict[str, Any]) -> None:
    version = put_in_store(tmp_path / "store")
    assert read_stored(version)
    write_json(version / "video.json", read_json(version / "video.json") | change)
    assert read_stored(version) is None
    others: list[Any] = [[], 5, "text", None]
    for value in others:
        write_json(version / "video.json", value)
        assert read_stored(version) is None


def test_links_in_the_store_are_not_followed(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    """Each link would otherwise read, write or delete files of the victim."""
    victim, store, url = victim_in(tmp_path), tmp_path / "store", server.add("/clip.mp4", clip)
    before = tree(victim)
    entry, version = entry_of(store, url), version_of(entry_of(store, url), FORM)
    site = store / "sites" / "127.0.0.1"
    for place in (entry, entry / "lock", version, version / "partial", store / "sites", site, site / "job0.lock"):
        shutil.rmtree(store, ignore_errors=True)
        place.parent.mkdir(parents=True)
        place.symlink_to(victim / "keep" if "lock" in place.name else victim)
        with pytest.raises(UserError, match="is a symbolic link"):
            download(url, tmp_path)
        assert tree(victim) == before, place
    shutil.rmtree(store)
    put_in_store(store, url)
    (version / "media.mp4").unlink()
    (version / "media.mp4").symlink_to(victim / "media.mp4")
    assert read_stored(version) is None
    assert download(url, tmp_path)["media"]["bytes"] == clip.stat().st_size and tree(victim) == before


@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_a_planted_part_is_not_continued_through_a_link(
    server: FaultServer, clip: Path, tmp_path: Path, how: str
) -> None:
    victim, url = victim_in(tmp_path), server.add("/clip.mp4", clip)
    before = tree(victim)
    version = version_of(entry_of(tmp_path / "store", url), FORM)
    version.mkdir(parents=True)
    partial = Partial(version / "partial")
    partial.begin({"format_id": "mp4", "protocol": "http", "pieces": ""})
    partial.check(0, 200, {"Content-Length": str(clip.stat().st_size), "ETag": etag(clip.read_bytes())})
    part = version / "partial/media.mp4.part"
    part.symlink_to(victim / "keep") if how == "symbolic" else os.link(victim / "keep", part)
    assert download(url, tmp_path)["status"] == "ok" and tree(victim) == before


def test_a_damaged_state_of_a_site_is_ignored(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    url, state = server.add("/clip.mp4", clip), tmp_path / "store/sites/127.0.0.1/state.json"
    for text in (
        "[]", "5", "[" * 9999, '{"starts": 5}', '{"starts": ["x"], "blocks": "y"}', '{"paused_until": null}',
        '{"paused_until": NaN, "not_before": Infinity, "blocks": 1e300}', '{"blocked_at": [], "message": {}}',
        f'{{"blocks": {"9" * 400}}}',
    ):  # fmt: skip
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(text)
        server.faults["/clip.mp4"] = (429, 1)
        assert download(url, tmp_path)["status"] == "ok", text
        shutil.rmtree(tmp_path / "store")


def test_a_damaged_record_of_a_run_is_named(tmp_path: Path) -> None:
    register_used_entries(tmp_path, tmp_path / "run", [URL])
    (record,) = (tmp_path / "runs").iterdir()
    for text in ("[]", "{", '{"folder": 1}', '{"folder": "a", "entries": 5}', '{"folder": "a", "entries": [5]}'):
        record.write_text(text)
        with pytest.raises(UserError, match="is damaged.*delete it"):
            register_used_entries(tmp_path, tmp_path / "run", [URL])
    shutil.rmtree(tmp_path / "runs")
    (tmp_path / "victim").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "victim")
    with pytest.raises(UserError, match="runs is a symbolic link"):
        register_used_entries(tmp_path, tmp_path / "run", [URL])
    assert not list((tmp_path / "victim").iterdir())
