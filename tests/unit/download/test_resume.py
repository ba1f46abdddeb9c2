"""A partial file is continued only if the server still has the same file."""

import shutil
from pathlib import Path

import pytest

from scripts.download.resume import Changed, Partial, Source, identity_of_pieces
from tests._acts import drop_every
from tests._download import download
from tests._server import FaultServer, refuse, serve
from tests._streams import hls
from tests.conftest import MakeClip


def test_a_rejected_download_leaves_no_partial_file(server: FaultServer, clip: Path, tmp_path: Path) -> None:
    download(server.add("/clip.mp4", clip), tmp_path, max_size_mb=0.01)
    assert not [path for path in (tmp_path / "store").glob("*/*/*") if "sites" not in path.parts]


def test_a_stream_is_resumed_only_if_its_segments_are_the_same(
    server: FaultServer, make_clip: MakeClip, tmp_path: Path
) -> None:
    url, segments = hls(server, make_clip)
    server.acts[segments[3]] = [refuse(500)]
    assert download(url, tmp_path)["status"] == "failed"
    server.acts.clear()
    server.log.clear()
    before = server.files[segments[0]]
    record = download(url, tmp_path)
    fetched = [request.path for request in server.log]
    assert record["status"] == "ok" and segments[1] not in fetched and segments[4] in fetched
    whole = record["media"]["sha256"]
    shutil.rmtree(tmp_path / "store")
    server.acts[segments[3]] = [refuse(500)]
    assert download(url, tmp_path)["status"] == "failed"
    server.acts.clear()
    server.log.clear()
    server.files[segments[0]] = (before[0], before[1] + before[1][-188:])  # the first piece is another one now
    record = download(url, tmp_path)
    assert record["status"] == "ok" and segments[1] in [request.path for request in server.log]
    assert record["media"]["sha256"] != whole


SOURCE: Source = {"format_id": "22", "protocol": "https", "pieces": ""}


def partial_with(folder: Path, size_bytes: int, **headers: str) -> Partial:
    """Return a partial file of which an earlier process downloaded these bytes of 100."""
    first = Partial(folder)
    first.begin(SOURCE)
    first.check(0, 200, {"Content-Length": "100"} | headers)
    (folder / "media.mp4.part").write_bytes(b"x" * size_bytes)
    return Partial(folder)


def rest(offset: int, total: int = 100, **headers: str) -> dict[str, str]:
    return {"Content-Range": f"bytes {offset}-{total - 1}/{total}"} | headers


def test_a_part_of_the_same_file_is_continued(tmp_path: Path) -> None:
    partial = partial_with(tmp_path / "partial", 40, ETag="a")
    partial.begin(SOURCE)
    assert partial.size_bytes() == 40 and partial.may_continue(to_offset=False)
    assert partial.check(40, 206, rest(40, ETag="a")) == 100


@pytest.mark.parametrize(
    "headers", [rest(40, ETag="b"), rest(40, total=101, ETag="a"), rest(39, ETag="a")], ids=["tag", "size", "offset"]
)
def test_a_part_of_another_file_is_not_continued(tmp_path: Path, headers: dict[str, str]) -> None:
    partial = partial_with(tmp_path / "partial", 40, ETag="a")
    with pytest.raises(Changed):
        partial.check(40, 206, headers)
    assert not partial.may_continue(to_offset=True)


def test_a_file_without_tag_or_date_is_continued_only_by_the_process_that_started_it(tmp_path: Path) -> None:
    assert not partial_with(tmp_path / "partial", 40).may_continue(to_offset=True)
    same = Partial(tmp_path / "same")
    same.begin(SOURCE)
    same.check(0, 200, {"Content-Length": "100"})
    assert same.may_continue(to_offset=True) and not same.may_continue(to_offset=False)


@pytest.mark.public_report(
    "youtube-dl 23712", saw="a partial file of another format is continued, and the video is broken",
    here="the partial file is deleted",
)  # fmt: skip
def test_parts_of_another_format_or_of_unknown_origin_are_deleted(tmp_path: Path) -> None:
    partial = partial_with(tmp_path / "partial", 40, ETag="a")
    partial.begin({**SOURCE, "format_id": "18"})
    assert partial.size_bytes() == 0
    (tmp_path / "unknown").mkdir()
    (tmp_path / "unknown/media.mp4.part").write_bytes(b"x")
    assert Partial(tmp_path / "unknown").size_bytes() == 0


def test_segments_without_a_version_match_only_in_this_process() -> None:
    class Response:
        headers: dict[str, str] = {}

        def __enter__(self) -> "Response":
            return self

        def __exit__(self, *_: object) -> None: ...

    info = {"fragments": [{"url": "https://a.example/1.ts"}], "url": "https://a.example/list"}
    assert identity_of_pieces(lambda url: Response(), info).startswith("of process ")
    Response.headers = {"ETag": "1"}
    one = identity_of_pieces(lambda url: Response(), info)
    Response.headers = {"ETag": "2"}
    assert one != identity_of_pieces(lambda url: Response(), info) and len(one) == 64


@pytest.mark.public_report(
    "yt-dlp 14087", saw="a download breaks with HTTP error 403 in the middle and does not resume",
    here="the next attempt reads the page for a new link and continues the same file",
)  # fmt: skip
def test_a_link_that_expires_in_the_middle_is_read_anew_and_the_file_continued(
    server: FaultServer, clip: Path, tmp_path: Path
) -> None:
    half = clip.stat().st_size // 2
    server.add("/clip.mp4", clip)
    server.acts["/clip.mp4"] = [drop_every(half), refuse(403), serve]
    record = download(server.page("/page", "/clip.mp4"), tmp_path)
    assert (record["status"], record["attempts"]) == ("ok", 2)
    assert record["media"]["bytes"] == clip.stat().st_size and server.requests["/page"] == 2
    assert half // 2 < server.log[-1].offset <= half
