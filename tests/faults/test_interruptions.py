"""Downloads that are killed, doubled or repeated: nothing is lost, nothing is fetched twice."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.download.download_video import download_video
from tests._server import FaultServer, Handler, etag
from tests.conftest import DOWNLOAD, H264, REPO, MakeClip, download_options, pattern

JOB = """
import json, sys
from pathlib import Path
from typing import Any
from scripts.download.download_video import download_video
from scripts.download.options import DownloadOptions
video, url, out, store, options = sys.argv[1:]
download_video(video, url, Path(out), Path(store), DownloadOptions.from_config(json.loads(options)))
"""


def slowly(handler: Handler) -> None:
    """Serve the file, from where it is asked for, at 400 kB/s."""
    kind, body = handler.file()
    offset = handler.offset()
    headers = {"Content_Range": f"bytes {offset}-{len(body) - 1}/{len(body)}"} if offset else {}
    handler.start(206 if offset else 200, kind, Content_Length=str(len(body) - offset), ETag=etag(body), **headers)
    for at in range(offset, len(body), 20_000):
        handler.write(body[at : at + 20_000])
        time.sleep(0.05)


def start(video: str, url: str, folder: Path, store: Path) -> subprocess.Popen[bytes]:
    """Run a download in a process of its own, as Snakemake does."""
    arguments = [video, url, str(folder / video), str(store), json.dumps(DOWNLOAD)]
    return subprocess.Popen([sys.executable, "-c", JOB, *arguments], cwd=REPO, start_new_session=True)


@pytest.fixture
def body(make_clip: MakeClip) -> bytes:
    return make_clip(
        "large.mp4", *pattern(6, size="640x360"), "-crf", "12", *H264, "-movflags", "faststart"
    ).read_bytes()


@pytest.fixture
def server(body: bytes) -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.add("/large.mp4", body)
        running.page("/page", "/large.mp4")
        running.acts["/large.mp4"] = [slowly]
        yield running


def record(folder: Path, video: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / video / "video.json").read_text())
    return read


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_download_is_resumed(
    server: FaultServer, body: bytes, tmp_path: Path, signal_number: signal.Signals
) -> None:
    job = start("v", server.url("/page"), tmp_path, tmp_path / "store")
    end = time.monotonic() + 30
    part = 0
    while part < 300_000 and time.monotonic() < end:
        time.sleep(0.05)
        part = sum(path.stat().st_size for path in (tmp_path / "store").rglob("*.part"))
    os.killpg(job.pid, signal_number)
    assert job.wait() != 0 and not list(tmp_path.glob("v/**/*.part")), "no partial file in results/"
    part = sum(path.stat().st_size for path in (tmp_path / "store").rglob("*.part"))
    assert 300_000 <= part < len(body)
    killed_at = time.time()
    assert start("v", server.url("/page"), tmp_path, tmp_path / "store").wait() == 0
    [media] = [request for request in server.log if request.path == "/large.mp4" and request.at_s > killed_at]
    assert (media.offset, media.sent_bytes) == (part, len(body) - part)
    told = record(tmp_path, "v")
    assert told["status"] == "ok" and told["media"]["sha256"] == hashlib.sha256(body).hexdigest()
    assert not list((tmp_path / "store").rglob("*.part"))


def test_two_runs_on_one_store_fetch_a_video_once(server: FaultServer, body: bytes, tmp_path: Path) -> None:
    jobs = [start(video, server.url("/page"), tmp_path / run, tmp_path / "store") for run in "ab" for video in "xy"]
    assert [job.wait() for job in jobs] == [0] * 4
    assert server.requests["/large.mp4"] == 1, "two runs with two ids each for the same address"
    for run in "ab":
        for video in "xy":
            assert record(tmp_path / run, video)["status"] == "ok"
            assert (tmp_path / run / video / "media/media.mp4").read_bytes() == body
    [stored] = (tmp_path / "store").glob("*/*/media.mp4")
    assert stored.stat().st_nlink == 5


def test_a_waiting_run_takes_over_from_a_killed_one(server: FaultServer, body: bytes, tmp_path: Path) -> None:
    first = start("a", server.url("/page"), tmp_path, tmp_path / "store")
    while not list((tmp_path / "store").rglob("*.part")):
        time.sleep(0.05)
    second = start("b", server.url("/page"), tmp_path, tmp_path / "store")
    time.sleep(1)
    os.killpg(first.pid, signal.SIGKILL)
    assert second.wait() == 0 and first.wait() != 0
    assert (tmp_path / "b/media/media.mp4").read_bytes() == body


def test_nothing_stored_is_lost_by_deleting_results_or_by_other_settings(
    server: FaultServer, body: bytes, tmp_path: Path
) -> None:
    url = server.add("/clip.mp4", body)
    download_video("v", url, tmp_path / "1", tmp_path / "store", download_options())
    server.files.clear()
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"attempts": 1},
        {"timeout_s": 5},
        {"cookies": ""},
        {"max_height_px": 360},
    )
    for number, changed in enumerate(changes):
        folder = tmp_path / f"again{number}"
        download_video("v", url, folder, tmp_path / "store", download_options(**changed))
        assert (folder / "media/media.mp4").read_bytes() == body
