"""Each download fault has the outcome on docs/downloads.md. To write that page, run this.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/faults/test_download_faults.py
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from scripts.download import deadline as _watch
from scripts.download.download_video import download_video
from scripts.download.store import entry_of, version_of
from scripts.inputs.urls import url_fault
from tests._page import collected, page_text, read_outcomes
from tests._server import FaultServer
from tests._stage import Stage
from tests.conftest import REPO, STEADY_H264, MakeClip, download_options, pattern
from tests.faults.cases import CASES

PAGE = REPO / "docs/downloads.md"
OMITTED = (
    "[generic] clip: Unable to download webpage: ", "unable to download video data: ", "[download] Got error: ",
    ". Giving up after 3 retries", "HTTPConnectionPool(host='127.0.0.1', port=PORT): ",
)  # fmt: skip
HTTP_ERROR = re.compile("|".join(f"HTTP Error {status.value}: {status.phrase}" for status in HTTPStatus))
HEAD = """# Download faults

Each row is a [status](../README.md#statuses-and-exit-codes) and the server faults that cause it. "Page" is the first
request for a video, "media" are the requests for its file. A fault without a number happens every time. Faults that
may pass are tried three times (`attempts: 3`). An attempt that receives new bytes does not count. A partial file is
resumed only if the server confirms the same file. Written by tests/faults/test_download_faults.py (`make docs`).

| faults | status | message, shortened |
|---|---|---|
"""


@pytest.fixture
def stage(make_clip: MakeClip, tmp_path: Path) -> Iterator[Stage]:
    clip = make_clip("fault.mp4", *pattern(10), *STEADY_H264, "-movflags", "faststart")
    other = make_clip("other.mp4", *pattern(10), "-vf", "negate", *STEADY_H264, "-movflags", "faststart")
    size = clip.stat().st_size
    with FaultServer() as server:
        yield Stage(
            server,
            clip,
            (other.read_bytes() + b"\0" * size)[: max(size, other.stat().st_size)],
            make_clip,
            tmp_path / "store",
        )


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, str]]:
    yield from collected(PAGE, HEAD, CASES)


def left_in(version: Path) -> str:
    """Return what a folder of the store holds."""
    names = {path.name for path in version.iterdir()} if version.exists() else set()
    if "video.json" in names:
        assert names == {"video.json", "media.mp4"} or names == {"video.json", "media.ts"}, names
        return "the video"
    partial = [path for path in version.glob("partial/*") if path.name != "part_of.json" and path.stat().st_size]
    return "a partial file" if partial else "nothing"


def shortened(message: str, server: FaultServer) -> str:
    """Return a message as the page shows it; the clip's size is not the same on every processor."""
    message = re.sub(r"\d+ (?=bytes read|more expected)", "N ", message)
    message = message.replace(server.url(""), "http://SERVER").replace(str(server.server_address[1]), "PORT")
    for text in OMITTED:
        message = message.replace(text, "")
    return HTTP_ERROR.sub("HTTP error", message).replace("|", "/").replace("\n", " ")


@pytest.mark.parametrize("name", CASES)
def test_a_fault_has_the_outcome_on_the_page(
    stage: Stage, tmp_path: Path, name: str, rows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(_watch, "PAGE_WINDOWS", case.page_windows)
    url = case.lay(stage)
    download_video("v", url, tmp_path / "out", tmp_path / "store", download_options(**case.options))
    record = json.loads((tmp_path / "out/video.json").read_text())
    left = left_in(version_of(entry_of(tmp_path / "store", url), download_options()))
    requests = stage.server.requests.total()
    seen = (record["status"], record["attempts"], requests, left)
    assert seen == (case.status, case.attempts, case.requests, case.left), record
    if case.status == "ok" and "/clip.mp4" in stage.server.files:
        wanted = stage.server.files["/clip.mp4"][1]
        assert record["media"]["sha256"] == hashlib.sha256(wanted).hexdigest()
    message = shortened(record["message"], stage.server)
    codes = re.findall(r"HTTP Error (\d+)", record["message"])
    assert all(code in name for code in codes) or (name, codes) == ("redirect loop", ["302"])
    if name == "partial file: same video":
        assert stage.server.log[-1].offset == 200_000
    status = f"{case.status}, partial file kept" if left == "a partial file" else case.status
    rows[name] = f"{status} | {message}"
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert rows[name] == read_outcomes(PAGE, HEAD)[name], "if this outcome is correct, run: make docs"


def test_the_page_has_every_fault() -> None:
    known = read_outcomes(PAGE, HEAD)
    assert page_text(HEAD, {name: known[name] for name in CASES}) == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "url",
    ["http://[::1/x", "file:///etc/passwd", "ftp://a.example/v.mp4", "ytsearch1:x", "rtmp://a.example/v", "hello"],
)
def test_an_address_other_than_http_is_rejected(url: str) -> None:
    assert url_fault(url)
