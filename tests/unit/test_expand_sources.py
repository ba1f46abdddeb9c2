"""Expanding sources appends rows and changes none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts._log import UserError
from scripts._videos import read_videos
from scripts.expand_sources import expand_sources, video_id
from tests._server import FaultServer

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{}</channel></rss>"""
ITEM = "<item><title>{0}</title><link>{1}</link></item>"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def feed(server: FaultServer, *names: str) -> str:
    items = "".join(ITEM.format(f"Title {n}", server.url(f"/{n}.mp4")) for n in names)
    return server.add("/feed.xml", RSS.format(items).encode(), "application/rss+xml")


def test_appends_new_videos_and_leaves_old_rows_alone(server: FaultServer, tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    old = f"mine\t{server.url('/a.mp4')}\t\t\tval\tLyon"
    table.write_text(f"# my list\nvideo\turl\tstart_s\tend_s\tsplit\tplace\n{old}\n")
    assert expand_sources([feed(server, "a", "b", "c")], table, 5) == 2
    lines = table.read_text().splitlines()
    assert lines[0] == "# my list" and lines[2] == old
    videos = read_videos(table)
    assert [v.url for v in videos.values()] == [server.url(f"/{n}.mp4") for n in "abc"]
    assert list(videos.values())[1].extra["found_title"] == "Title b"
    before = table.read_bytes()
    assert expand_sources([feed(server, "a", "b", "c")], table, 5) == 0
    assert table.read_bytes() == before


def test_makes_the_table_if_there_is_none(server: FaultServer, tmp_path: Path) -> None:
    assert expand_sources([feed(server, "a")], tmp_path / "videos.tsv", 5) == 1
    assert len(read_videos(tmp_path / "videos.tsv")) == 1


def test_a_dead_source_is_named_and_the_others_are_appended(server: FaultServer, tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    with pytest.raises(UserError, match="1 source.*\n.*gone.*404"):
        expand_sources([server.url("/gone"), feed(server, "a")], table, 5)
    assert len(read_videos(table)) == 1


def test_no_sources_is_said() -> None:
    with pytest.raises(UserError, match="'sources' is empty"):
        expand_sources([], Path("t.tsv"), 5)


def test_ids_are_safe_and_unique() -> None:
    assert video_id({"ie_key": "Youtube", "id": "a_B-1"}, "u", set()) == "youtube-a_B-1"
    assert video_id({"ie_key": "Youtube", "id": "a_B-1"}, "u", {"Youtube-a_b-1"}) != "youtube-a_B-1"
    assert "/" not in video_id({"id": "../x"}, "u", set())
