"""What yt-dlp is given, and what it sends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.deadline import Meter
from scripts.download.faults import Answer, Rejected, RetryLater
from scripts.download.ytdlp import base_options, check_size, format_sort, read_cookies, video_options
from tests._download import download
from tests._server import FaultServer, serve
from tests.conftest import download_options

URL = "https://a.example/v"


def test_cookies_are_sent_and_never_written(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts3cret-1\n")
    jar.chmod(0o400)
    before = jar.stat()
    server.cookie = "given=s3cret-2"
    record = download(server.add("/clip.mp4", clip), tmp_path, cookies=str(jar))
    assert record["status"] == "ok" and all("session=s3cret-1" in asked.cookie for asked in server.log)
    after = jar.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p != jar and b"s3cret" in p.read_bytes()]


def test_a_proxy_is_used(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    server.add("/clip.mp4", clip)
    server.acts["http://video.example/clip.mp4"] = [serve]
    server.files["http://video.example/clip.mp4"] = server.files["/clip.mp4"]
    record = download("http://video.example/clip.mp4", tmp_path, proxy=server.url(""), allow_private_hosts=False)
    assert record["status"] == "ok" and set(server.requests) == {"http://video.example/clip.mp4"}


def test_only_allowed_options_of_the_user_reach_yt_dlp() -> None:
    given = base_options(URL, download_options(ytdlp={"format": "b", "exec": "rm"}, timeout_s=7, proxy="http://p:1"))
    assert (given["format"], given["socket_timeout"], given["proxy"]) == ("b", 7, "http://p:1")
    assert "exec" not in given and "proxy" not in base_options(URL, download_options())


def test_code_from_outside_and_unchecked_lookups_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YTDLP_NO_PLUGINS", raising=False)
    monkeypatch.setitem(sys.modules, "curl_cffi", sys)
    base_options(URL, download_options(allow_private_hosts=True))
    assert os.environ["YTDLP_NO_PLUGINS"] and sys.modules["curl_cffi"]
    base_options(URL, download_options(allow_private_hosts=False))
    assert sys.modules["curl_cffi"] is None


@pytest.mark.public_report(
    "yt-dlp/yt-dlp 14847",
    saw="deno, which yt-dlp runs for YouTube, writes megabytes of caches to the user's folder each time",
    here="the cache is in the run folder instead of the home folder, unless DENO_DIR is set",
)
def test_deno_writes_into_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DENO_DIR", "")
    monkeypatch.delenv("DENO_DIR")
    base_options(URL, download_options())
    folder = tmp_path / ".snakemake/deno"
    assert os.environ["DENO_DIR"] == str(folder)
    deno = shutil.which("deno", path=str(Path(sys.executable).parent)) or pytest.skip("no deno")
    command = [deno, "run", "--ext=js", "--no-code-cache", "--no-remote", "--no-config", "-"]  # much as yt-dlp runs it
    assert subprocess.run(command, input=b"console.log(1)", capture_output=True, check=True).stdout == b"1\n"
    assert list(folder.iterdir()) and not (tmp_path / "home").exists()
    monkeypatch.setenv("DENO_DIR", "/mine")
    base_options(URL, download_options())
    assert os.environ["DENO_DIR"] == "/mine"


def test_a_missing_fragment_fails_the_download(tmp_path: Path) -> None:
    options = video_options(URL, tmp_path, download_options(), Answer(), Meter(0, 1))
    assert options["skip_unavailable_fragments"] is False


def test_the_order_of_formats_is_the_users_or_follows_the_height() -> None:
    assert format_sort(download_options(max_height_px=360))[0] == "res:360"
    assert format_sort(download_options(ytdlp={"format_sort": ["fps"]})) == ["fps"]


def test_a_file_may_have_exactly_the_largest_size() -> None:
    check_size(50_000_000, download_options(max_size_mb=50))
    with pytest.raises(Rejected, match="larger than max_size_mb = 50: 50.0 MB"):
        check_size(50_000_001, download_options(max_size_mb=50))


def sleep_of(tmp_path: Path, answer: Answer, **options: Any) -> Any:
    made = video_options(URL, tmp_path, download_options(**options), answer, Meter(0, 1))
    return made["retry_sleep_functions"]["http"]


def test_retries_of_a_request_wait_longer_each_time_up_to_a_limit(tmp_path: Path) -> None:
    sleep = sleep_of(tmp_path, Answer(503), wait_s=5)
    assert [sleep(n) for n in range(4)] == [5, 10, 20, 30]
    assert sleep_of(tmp_path, Answer(503, 25.0), wait_s=5)(0) == 25


@pytest.mark.parametrize("answer", [Answer(503, 31.0), Answer(429), Answer(429, 1.0)])
def test_a_rate_limit_or_a_long_wait_ends_the_attempt(tmp_path: Path, answer: Answer) -> None:
    with pytest.raises(RetryLater, match=f"HTTP Error {answer.http_status}"):
        sleep_of(tmp_path, answer)(0)


def test_a_cookie_file_gets_the_header_that_yt_dlp_needs(tmp_path: Path) -> None:
    row = ".a.example\tTRUE\t/\tTRUE\t0\tname\tvalue\n"
    (tmp_path / "cookies.txt").write_text(row)
    assert read_cookies(tmp_path / "cookies.txt").read() == f"# Netscape HTTP Cookie File\n{row}"
    (tmp_path / "cookies.txt").write_text(row.replace("\t", " "))
    with pytest.raises(UserError, match=r"download\.cookies: .*Netscape cookie file"):
        read_cookies(tmp_path / "cookies.txt")
