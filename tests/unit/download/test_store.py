"""What is deleted from the store, and what never is."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.core.files import read_json, write_json
from scripts.download.options import DownloadOptions
from scripts.download.resume import Partial
from scripts.download.store import (
    discard_media,
    entry_of,
    form_of,
    is_disk_fault,
    other_versions,
    read_stored,
    version_of,
)
from scripts.download.store_users import register_used_entries
from scripts.inputs.rows import parts_of
from tests._download import URL, download, put_in_store
from tests._server import FaultServer, etag
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
