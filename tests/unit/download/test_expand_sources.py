"""Expanding sources appends rows and changes none."""

from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.download.expand_sources import expand_sources, new_rows, video_id
from scripts.inputs.urls import source_of
from scripts.inputs.videos import read_videos
from tests._server import FaultServer, refuse, serve
from tests.conftest import download_options

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{}</channel></rss>"""
ITEM = "<item><title>{0}</title><link>{1}</link></item>"


def expand(sources: list[str], table: Path, **options: Any) -> int:
    return expand_sources(sources, table, table.parent / "store", download_options(**options))


def feed(server: FaultServer, *names: str) -> str:
    items = "".join(ITEM.format(f"Title {n}", server.url(f"/{n}.mp4")) for n in names)
    return server.add("/feed.xml", RSS.format(items).encode(), "application/rss+xml")


def test_appends_new_videos_and_leaves_old_rows_alone(server: FaultServer, tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    old = f"mine\t{server.url('/a.mp4')}\t\t\tval\tLyon"
    table.write_text(f"# my list\nvideo\turl\tstart_s\tend_s\tsplit\tplace\n{old}\n")
    assert expand([feed(server, "a", "b", "c")], table) == 2
    lines = table.read_text().splitlines()
    assert lines[0] == "# my list" and lines[2] == old
    videos = read_videos(table)
    assert [v.url for v in videos.values()] == [server.url(f"/{n}.mp4") for n in "abc"]
    assert list(videos.values())[1].extra["found_title"] == "Title b"
    before = table.read_bytes()
    assert expand([feed(server, "a", "b", "c")], table) == 0
    assert table.read_bytes() == before


def test_makes_the_table_if_there_is_none(server: FaultServer, tmp_path: Path) -> None:
    assert expand([feed(server, "a")], tmp_path / "videos.tsv") == 1
    assert len(read_videos(tmp_path / "videos.tsv")) == 1


def test_a_dead_source_is_named_and_the_others_are_appended(server: FaultServer, tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    with pytest.raises(UserError, match="1 source.*\n.*gone.*404"):
        expand([server.url("/gone"), feed(server, "a")], table)
    assert len(read_videos(table)) == 1


def test_an_empty_key_is_an_error() -> None:
    with pytest.raises(UserError, match="'sources' is empty"):
        expand([], Path("t.tsv"))


def test_ids_are_safe_and_unique() -> None:
    assert video_id({"ie_key": "Youtube", "id": "a_B-1"}, "u", set()) == "youtube-a_B-1"
    assert video_id({"ie_key": "Youtube", "id": "a_B-1"}, "u", {"Youtube-a_b-1"}) != "youtube-a_B-1"
    assert "/" not in video_id({"id": "../x"}, "u", set())


def test_lists_have_the_rate_limits_of_downloads(server: FaultServer, tmp_path: Path) -> None:
    url = feed(server, "a")
    server.acts["/feed.xml"] = [refuse(429, "1"), refuse(503), serve]
    assert expand([url], tmp_path / "videos.tsv") == 1
    assert server.requests["/feed.xml"] == 3 and server.log[1].at_s - server.log[0].at_s >= 1
    with pytest.raises(UserError, match="rejected.*allow_private_hosts"):
        expand([url], tmp_path / "other.tsv", allow_private_hosts=False)


@pytest.mark.public_report(
    "yt-dlp 11617", saw="a premiere that has not begun ends the download of a playlist",
    here="it is left out with a warning, and the other videos are added",
)  # fmt: skip
def test_private_deleted_and_live_videos_are_skipped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    watch = "https://www.youtube.com/watch?v="
    entries: list[dict[str, Any]] = [
        {"ie_key": "Youtube", "id": "a", "url": f"{watch}a", "title": "[Private video]"},
        {"ie_key": "Youtube", "id": "b", "url": f"{watch}b", "title": "[Deleted video]"},
        {"ie_key": "Youtube", "id": "c", "url": f"{watch}c", "title": "Now", "live_status": "is_live"},
        {"ie_key": "Youtube", "id": "f", "url": f"{watch}f", "title": "Over", "live_status": "post_live"},
        {"ie_key": "Youtube", "id": "h", "url": f"{watch}h", "title": "Soon", "live_status": "is_upcoming"},
        {"ie_key": "Youtube", "id": "g", "url": f"{watch}g", "title": "Mine", "availability": "private"},
        {
            "ie_key": "Youtube",
            "id": "d",
            "url": f"{watch}d",
            "title": "A\tb",
            "duration": 12.5,
            "timestamp": 1700000000,
        },
        {"ie_key": "Youtube", "id": "d", "url": f"{watch}d", "title": "Again"},
        {"ie_key": "YoutubeTab", "url": "https://www.youtube.com/playlist?list=PL2", "title": "More"},
        {"url": "http://[bad/x", "title": "Bad"},
        {"ie_key": "Vimeo", "id": "e", "url": "https://vimeo.com/1", "title": "E", "timestamp": 1700000000},
    ]
    [row, other] = new_rows(entries, "https://www.youtube.com/playlist?list=PL1&si=secret", set(), set())
    assert (row["video"], row["url"], row["found_title"]) == ("youtube-d", f"{watch}d", "A b")
    assert (row["found_duration_s"], row["found_upload_date"]) == ("12.5", "~20231114")
    assert row["found_in"] == "https://www.youtube.com/playlist?list=PL1" and row["found_at"]
    assert other["found_upload_date"] == "20231114"
    assert [r.getMessage().split(":")[0].removeprefix("skipped because ") for r in caplog.records] == [
        "it is private or deleted",
        "it is private or deleted",
        "it is not a finished recording",
        "it is not a finished recording",
        "it is not a finished recording",
        "it is private or deleted",
        "it is another playlist, which can be added to 'sources'",
        "it has no http(s) URL",
    ]


def test_a_table_keeps_its_line_ends(server: FaultServer, tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    old = "\ufeffvideo\turl\r\nmine\thttps://a.example/x\r\n".encode()
    table.write_bytes(old)
    assert expand([feed(server, "a")], table) == 1
    assert (
        table.read_bytes().startswith(b"\xef\xbb\xbfvideo\turl\t")
        and b"\r\nmine\thttps://a.example/x\r\n" in table.read_bytes()
    )
    assert len(read_videos(table)) == 2


def test_a_video_that_the_table_has_by_another_address_is_not_added() -> None:
    taken = {source_of("https://youtu.be/aaaaaaaaaaa?si=x")}
    entries = [
        {"webpage_url": f"https://www.youtube.com/{path}", "id": path[-11:], "ie_key": "Youtube"}
        for path in ("shorts/aaaaaaaaaaa", "shorts/bbbbbbbbbbb", "watch?v=bbbbbbbbbbb")
    ]
    rows = new_rows(entries, "https://www.youtube.com/@a", taken, set())
    assert [row["url"] for row in rows] == ["https://www.youtube.com/shorts/bbbbbbbbbbb"]
