"""Checks before the first download print versions and warnings, or problems with their remedy."""

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import site_of
from scripts.inputs.videos import Video
from scripts.run import preflight as preflight_module
from scripts.run.preflight import check_folder, check_submitted_paths, preflight
from tests.conftest import DOWNLOAD

YOUTUBE = "https://www.youtube.com/watch?v=aaaaaaaaaaa"
COOKIE = ".a.example\tTRUE\t/\tTRUE\t{}\tname\tvalue\n"


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    sites = dict.fromkeys(("youtube.com", "*"), DOWNLOAD["sites"]["*"])
    return {"store": str(tmp_path / "store"), "download": DOWNLOAD | {"sites": sites}}


def check(config: dict[str, Any], tmp_path: Path, *urls: str) -> None:
    videos = {f"v{i}": Video(f"v{i}", url, 0.0, None, "") for i, url in enumerate(urls)}
    preflight(videos, tmp_path / "results", config)


def test_without_problems_only_versions_are_printed(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_module, "version", lambda name: f"{date.today():%Y.%m.%d}")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**12))
    check(config, tmp_path, YOUTUBE)
    printed = capsys.readouterr().err
    assert "ffmpeg" in printed and "yt-dlp 20" in printed and "YouTube: deno" in printed and "warning" not in printed


def test_local_files_need_only_ffmpeg(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check(config | {"store": "/proc/none"}, tmp_path, "clip.mp4")
    assert "yt-dlp" not in capsys.readouterr().err
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    with pytest.raises(UserError, match="ffmpeg does not run.*IMAGEIO_FFMPEG_EXE"):
        check(config, tmp_path, "clip.mp4")


def test_all_problems_are_reported_at_once(config: dict[str, Any], tmp_path: Path) -> None:
    config["store"] = "/proc/none"
    config["download"] |= {"cookies": str(tmp_path / "none.txt"), "ytdlp": {"format": "b["}}
    with pytest.raises(UserError) as error:
        check(config, tmp_path, YOUTUBE)
    text = str(error.value)
    assert "3 problem(s)" in text and "config key store" in text and "choose a folder" in text
    assert "download.cookies: cannot read" in text and "download.ytdlp: yt-dlp rejects it" in text


@pytest.mark.parametrize(
    "text", ["", '[{"domain": ".a.example"}]', "# Netscape HTTP Cookie File\n", "a b c\n", "\t" * 6]
)
def test_other_files_are_not_accepted_as_cookies(config: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "cookies.txt").write_text(text)
    config["download"]["cookies"] = str(tmp_path / "cookies.txt")
    with pytest.raises(UserError, match="no Netscape cookie file|yt-dlp rejects"):
        check(config, tmp_path, YOUTUBE)


@pytest.mark.parametrize(("ends", "warned"), [("1700000000", True), ("0", False), ("99999999999", False)])
def test_expired_cookies_give_a_warning(
    config: dict[str, Any], tmp_path: Path, ends: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cookies.txt").write_text(f"#HttpOnly_{COOKIE.format(ends)}")
    config["download"]["cookies"] = str(tmp_path / "cookies.txt")
    check(config, tmp_path, YOUTUBE)
    assert ("have expired: export them again" in capsys.readouterr().err) is warned


def test_youtube_without_a_javascript_runtime_gives_a_warning(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config["download"]["ytdlp"] = {"js_runtimes": {"quickjs": {"path": str(tmp_path / "none")}}}
    check(config, tmp_path, YOUTUBE)
    assert "warning: YouTube needs a recent version of quickjs" in capsys.readouterr().err
    check(config, tmp_path, "https://a.example/clip.mp4")
    assert "YouTube" not in capsys.readouterr().err


@pytest.mark.public_report(
    "yt-dlp/yt-dlp 10172",
    saw="YouTube asks to confirm that one is no bot; the form for reports first asks for an updated yt-dlp",
    here="from 60 days on, a warning before the first download names the command that updates it",
)
@pytest.mark.parametrize(
    ("days", "url", "warned"),
    [
        (61, YOUTUBE, True), (61, "https://vimeo.com/76979871", True), (60, YOUTUBE, False),
        (999, "https://a.example/clip.mp4", False), (999, "https://a.example/page", False),
    ],
)  # fmt: skip
def test_an_old_yt_dlp_gives_a_warning_if_the_table_has_a_site_that_it_knows(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    days: int, url: str, warned: bool,
) -> None:  # fmt: skip
    released = datetime.now(UTC).date() - timedelta(days=days)
    monkeypatch.setattr(preflight_module, "version", lambda name: f"{released:%Y.%m.%d}")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**12))
    monkeypatch.setattr("socket.getaddrinfo", None)  # no name is looked up
    check(config, tmp_path, "https://a.example/1", url)
    printed = capsys.readouterr().err
    command = f"{sys.executable} -m pip install --upgrade yt-dlp yt-dlp-ejs"
    assert (f"is {days} days old" in printed and command in printed) is warned
    assert ("warning" in printed) is warned


def test_little_space_gives_a_warning(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_500_000_000))
    check(config, tmp_path, *[f"https://a.example/{i}" for i in range(20)])
    printed = capsys.readouterr().err
    assert "2 GB are free for 20 videos" in printed
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    with pytest.raises(UserError, match=r"0\.0 GB are free.*free some, or set"):
        check(config, tmp_path, "https://a.example/1")


def test_local_files_need_space_for_results(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000_000))
    with pytest.raises(UserError, match=r"5 MB are free in .*results: free some"):
        check(config, tmp_path, "clip.mp4")


def test_downloaded_videos_need_no_yt_dlp(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "results/download/v0/video.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"status": "ok"}')
    check(config | {"store": "/proc/none"}, tmp_path, YOUTUBE)
    assert "yt-dlp" not in capsys.readouterr().err
    assert site_of(YOUTUBE, tmp_path, DownloadOptions.from_config(config["download"]).sites).name == "youtube.com"


def test_a_run_folder_must_be_writable(tmp_path: Path) -> None:
    check_folder(tmp_path)
    with pytest.raises(UserError, match="cannot write into the run folder /proc/none .*: name another"):
        check_folder(Path("/proc/none"))


@pytest.mark.parametrize("name", ["{3}", "a}"])
def test_braces_in_the_path_of_a_folder_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="the run folder is .* braces .* rename or move"):
        check_folder(tmp_path / name)
    monkeypatch.setattr(preflight_module, "CHECKOUT", tmp_path / name)
    with pytest.raises(UserError, match="the checkout is .* braces"):
        check_folder(tmp_path)


@pytest.mark.parametrize("name", ["a $HOME", "50 %j", "`id`", "a\\b"])
def test_paths_that_sbatch_would_change_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_submitted_paths(tmp_path / 'it\'s a "run" (1)')
    with pytest.raises(UserError, match="the run folder is .* sbatch replaces .* rename or move"):
        check_submitted_paths(tmp_path / name)
    monkeypatch.setattr(preflight_module, "CHECKOUT", tmp_path / name)
    with pytest.raises(UserError, match="the checkout is .* sbatch replaces"):
        check_submitted_paths(tmp_path)


@pytest.mark.parametrize(("version", "old"), [("5.0.1", True), ("n5.1-2024", False), ("N-12345", False)])
def test_ffmpeg_before_5_1_is_too_old(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, old: bool
) -> None:
    monkeypatch.setattr(preflight_module, "ffmpeg_version", lambda: version)
    if not old:
        check(config, tmp_path, "clip.mp4")
        return
    with pytest.raises(UserError, match="is older than ffmpeg 5.1: unset IMAGEIO_FFMPEG_EXE"):
        check(config, tmp_path, "clip.mp4")


def test_rows_that_are_one_video_are_named(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(config, tmp_path, YOUTUBE, YOUTUBE + "&t=3")
    assert f"reelsieve: rows v0, v1 are one video, {YOUTUBE}: it is downloaded once" in capsys.readouterr().err
