"""What is said before the first download, each with its remedy."""

import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.options import DownloadOptions
from scripts.download.rate_limits import site_of
from scripts.inputs.videos import Video
from scripts.run import preflight as _preflight
from scripts.run.preflight import preflight
from tests.conftest import DOWNLOAD

YOUTUBE = "https://www.youtube.com/watch?v=aaaaaaaaaaa"
COOKIE = ".a.example\tTRUE\t/\tTRUE\t{}\tname\tvalue\n"


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    sites = dict.fromkeys(("youtube.com", "*"), DOWNLOAD["sites"]["*"])
    return {"store": str(tmp_path / "store"), "download": DOWNLOAD | {"sites": sites}}


def look(config: dict[str, Any], tmp_path: Path, *urls: str) -> None:
    videos = {f"v{i}": Video(f"v{i}", url, 0.0, None, "") for i, url in enumerate(urls)}
    preflight(videos, tmp_path / "results", config)


def test_says_versions_and_nothing_else_if_all_is_well(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_preflight, "version", lambda name: f"{date.today():%Y.%m.%d}")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**12))
    look(config, tmp_path, YOUTUBE)
    said = capsys.readouterr().err
    assert "ffmpeg" in said and "yt-dlp 20" in said and "YouTube: deno" in said and "warning" not in said


def test_local_files_need_ffmpeg_alone(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look(config | {"store": "/proc/none"}, tmp_path, "clip.mp4")
    assert "yt-dlp" not in capsys.readouterr().err
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    with pytest.raises(UserError, match="ffmpeg does not run.*IMAGEIO_FFMPEG_EXE"):
        look(config, tmp_path, "clip.mp4")


def test_every_problem_is_named_at_once(config: dict[str, Any], tmp_path: Path) -> None:
    config["store"] = "/proc/none"
    config["download"] |= {"cookies": str(tmp_path / "none.txt"), "ytdlp": {"format": "b["}}
    with pytest.raises(UserError) as error:
        look(config, tmp_path, YOUTUBE)
    text = str(error.value)
    assert "3 problem(s)" in text and "config key store" in text and "choose a folder" in text
    assert "download.cookies: cannot read" in text and "download.ytdlp: yt-dlp refuses it" in text


@pytest.mark.parametrize(
    "text", ["", '[{"domain": ".a.example"}]', "# Netscape HTTP Cookie File\n", "a b c\n", "\t" * 6]
)
def test_what_is_no_cookie_file_is_refused(config: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "cookies.txt").write_text(text)
    config["download"]["cookies"] = str(tmp_path / "cookies.txt")
    with pytest.raises(UserError, match="no Netscape cookie file|yt-dlp refuses"):
        look(config, tmp_path, YOUTUBE)


@pytest.mark.parametrize(("ends", "warned"), [("1700000000", True), ("0", False), ("99999999999", False)])
def test_expired_cookies_are_said(
    config: dict[str, Any], tmp_path: Path, ends: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cookies.txt").write_text(f"#HttpOnly_{COOKIE.format(ends)}")
    config["download"]["cookies"] = str(tmp_path / "cookies.txt")
    look(config, tmp_path, YOUTUBE)
    assert ("have expired: export them anew" in capsys.readouterr().err) is warned


def test_youtube_without_a_javascript_runtime_is_warned_of(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config["download"]["ytdlp"] = {"js_runtimes": {"quickjs": {"path": str(tmp_path / "none")}}}
    look(config, tmp_path, YOUTUBE)
    assert "warning: YouTube needs one of quickjs" in capsys.readouterr().err
    look(config, tmp_path, "https://a.example/clip.mp4")
    assert "YouTube" not in capsys.readouterr().err


def test_old_yt_dlp_and_a_full_disk_are_said(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_preflight, "version", lambda name: "2024.1.1")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_500_000_000))
    look(config, tmp_path, *[f"https://a.example/{i}" for i in range(20)])
    said = capsys.readouterr().err
    days = (date.today() - date(2024, 1, 1)).days
    assert f"{days} days old" in said or f"{days + 1} days old" in said
    assert "2 GB are free for 20 videos" in said
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    with pytest.raises(UserError, match=r"0\.0 GB are free.*make room"):
        look(config, tmp_path, "https://a.example/1")


def test_a_full_disk_is_said_of_local_files_too(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000_000))
    with pytest.raises(UserError, match=r"5 MB are free in .*results: make room"):
        look(config, tmp_path, "clip.mp4")


def test_what_is_here_needs_no_network(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "results/download/v0/video.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"status": "ok"}')
    look(config | {"store": "/proc/none"}, tmp_path, YOUTUBE)
    assert "yt-dlp" not in capsys.readouterr().err
    assert site_of(YOUTUBE, tmp_path, DownloadOptions.from_config(config["download"]).sites).name == "youtube.com"
