"""What becomes of a download that a server spoils; docs/downloads.md is written from what is seen here.

REELSIEVE_WRITE_DOCS=1 python -m pytest tests/faults/test_download_faults.py
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.download import deadline as _watch
from scripts.download.download_video import download_video
from scripts.download.store import entry_of, version_of
from scripts.inputs.videos import url_fault
from tests._page import collected
from tests._server import FaultServer
from tests._stage import Stage
from tests.conftest import DOWNLOAD, H264, REPO, MakeClip, pattern
from tests.faults.cases import CASES

PAGE = REPO / "docs/downloads.md"
HEAD = """# What becomes of a download

Each row is a fault that a server on this machine commits in a test, with `attempts: 3` and short waits (written by
tests/faults/test_download_faults.py; `make docs` writes it anew). "Page" is the first request for a video, "media"
those that follow. Statuses: [README](../README.md#what-comes-out). Nothing here stops the other videos; a partial file
is resumed if the server says that it still has the same one.

Beside the table, each with a test: a download killed in mid-file is resumed; four jobs of two runs that want one URL
fetch it once; a full disk ends the job and blames no video; what is no http(s) address is refused with the table.

| fault | status | attempts | requests | left in the store | what the registry says |
|---|---|---|---|---|---|
"""


@pytest.fixture
def stage(make_clip: MakeClip, tmp_path: Path) -> Iterator[Stage]:
    clip = make_clip("fault.mp4", *pattern(10), *H264, "-movflags", "faststart", "-threads", "1")
    other = make_clip("other.mp4", *pattern(10), "-vf", "negate", *H264, "-movflags", "faststart", "-threads", "1")
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
    """Say what a folder of the store holds."""
    names = {path.name for path in version.iterdir()} if version.exists() else set()
    if "video.json" in names:
        assert names == {"video.json", "media.mp4"} or names == {"video.json", "media.ts"}, names
        return "the video"
    partial = [path for path in version.glob("partial/*") if path.name != "part_of.json" and path.stat().st_size]
    return "a partial file" if partial else "nothing"


@pytest.mark.parametrize("name", CASES)
def test_each_fault_ends_as_the_page_says(
    stage: Stage, tmp_path: Path, name: str, rows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(_watch, "PAGE_WINDOWS", case.page_windows)
    url = case.lay(stage)
    download_video("v", url, tmp_path / "out", tmp_path / "store", {**DOWNLOAD, **case.options})
    record = json.loads((tmp_path / "out/video.json").read_text())
    left = left_in(version_of(entry_of(tmp_path / "store", url), DOWNLOAD))
    assert (record["status"], record["attempts"], left) == (case.status, case.attempts, case.left), record
    if case.status == "ok" and "/clip.mp4" in stage.server.files:
        wanted = stage.server.files["/clip.mp4"][1]
        assert record["media"]["sha256"] == hashlib.sha256(wanted).hexdigest()
    says = record["message"].replace(stage.server.url(""), "http://SERVER").replace("|", "/")
    port = str(stage.server.server_address[1])
    says = says.replace(port, "PORT").replace("\n", " ")
    requests = stage.server.requests.total()
    if name == "a partial file of this very file":
        assert stage.server.log[-1].offset == 200_000
    rows[name] = f"| {name} | {case.status} | {case.attempts} | {requests} | {left} | {says} |"
    if not os.environ.get("REELSIEVE_WRITE_DOCS"):
        assert rows[name] in PAGE.read_text(encoding="utf-8").splitlines(), "if that is right, run: make docs"


def test_the_page_has_a_row_per_case() -> None:
    lines = PAGE.read_text(encoding="utf-8").removeprefix(HEAD).splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(CASES)


@pytest.mark.parametrize(
    "url",
    ["http://[::1/x", "file:///etc/passwd", "ftp://a.example/v.mp4", "ytsearch1:x", "rtmp://a.example/v", "hello"],
)
def test_what_is_no_page_address_never_reaches_yt_dlp(url: str) -> None:
    assert url_fault(url)
