"""The video table."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.inputs.redact import credits_of, public_url, redact
from scripts.inputs.videos import VIDEO_ID, is_local, read_videos, url_fault

HEADER = "video\turl\tstart_s\tend_s\tsplit\tplace\n"


def write(tmp_path: Path, body: str, header: str = HEADER) -> Path:
    table = tmp_path / "videos.tsv"
    table.write_text(header + body, encoding="utf-8")
    return table


def test_reads_rows_in_order_with_own_columns(tmp_path: Path) -> None:
    table = write(tmp_path, "# a comment\nb\thttps://a.example/x\t1.5\t3\tval\tLyon\n\na\thttps://a.example/y\n")
    videos = read_videos(table)
    assert list(videos) == ["b", "a"]
    assert (videos["b"].start_s, videos["b"].end_s, videos["b"].split) == (1.5, 3.0, "val")
    assert videos["b"].extra == {"place": "Lyon"}
    assert (videos["a"].start_s, videos["a"].end_s, videos["a"].split) == (0.0, None, "")


def test_reads_spreadsheet_exports(tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    table.write_bytes(b"\xef\xbb\xbfvideo\turl\r\na\thttps://a.example/x\r\n")
    assert list(read_videos(table)) == ["a"]


def test_reports_every_problem_at_once_with_its_line(tmp_path: Path) -> None:
    rows = [
        "../up\thttps://a.example/1",
        "a\tgone.mp4",
        "b\thttps://a.example/2\tsoon\t-1",
        "c\thttps://a.example/3\t10\t5",
        "A\thttps://a.example/4",
        "d\tftp://a.example/5",
        "e\thttps://a.example/6\t\t\tdev",
        "f\thttps://a.example/4",
    ]
    with pytest.raises(UserError) as caught:
        read_videos(write(tmp_path, "\n".join(rows) + "\n"))
    text = str(caught.value)
    for line, words in [
        (2, "video id '../up'"), (3, "no such file: 'gone.mp4'"), (4, "start_s 'soon'"), (4, "end_s '-1'"),
        (5, "end_s 5 is not after start_s 10"), (6, "same video id as line 3"), (7, "ftp://"), (8, "split 'dev'"),
        (9, "same url with the same start and end as line 6"),
    ]:  # fmt: skip
        assert any(f"line {line}:" in row and words in row for row in text.splitlines()), (line, words, text)
    assert text.startswith("9 problem(s)")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("video\tURL\n", "column 'url' is missing"),
        ("video\turl\turl\n", "column 'url' stands twice"),
        ("video\turl\tstatus\n", "column 'status' bears the name of a registry column"),
        ("name\turl\n", "line 1: column 'video' is missing"),
        ("", "line 1: the header must name columns parted by tabs, .* but there is none"),
        ("video url\n", "parted by tabs, .* but 'video url' holds no tab"),
        ("video,url\n", "not by spaces or commas, but 'video,url' holds no tab"),
    ],
)
def test_refuses_bad_headers(tmp_path: Path, header: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_videos(write(tmp_path, "", header))


def test_refuses_too_many_cells_and_unreadable_tables(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2: 3 cells under 2 columns"):
        read_videos(write(tmp_path, "a\tb\tc\n", "video\turl\n"))
    with pytest.raises(UserError, match="line 2: 'a  b.mp4' holds no tab: part cells by tabs"):
        read_videos(write(tmp_path, "a  b.mp4\n", "video\turl\n"))
    with pytest.raises(UserError, match="no video table at .*none.tsv: write it there"):
        read_videos(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes("video\turl\nä\tb.mp4".encode("latin-1"))
    with pytest.raises(UserError, match="cannot read the video table"):
        read_videos(tmp_path / "latin.tsv")


@pytest.mark.parametrize(
    "url",
    [
        "", "http://", "tests", "a{b}.mp4", "youtube.com/watch",
        "https://a.example/\u2028b",
        "https:///x", "http://[::1/x", "file:///etc/passwd", "ytsearch1:cats", "https://me:pw@a.example/x",
        "https://a.example/x#__youtubedl_smuggle=1", "https://a.example/a b", "rtmp://a.example/x", "http://a.example:99999/",
    ],
)  # fmt: skip
def test_refuses_sources_that_are_neither_pages_nor_files(url: str) -> None:
    assert url_fault(url)


def test_takes_pages_and_files(clip: Path) -> None:
    assert url_fault("HTTPS://a.example:8080/x?y=1") is None
    assert url_fault(str(clip)) is None
    assert is_local("C") and is_local("a/b:c.mp4") and not is_local("http://x")


@given(st.from_regex(VIDEO_ID, fullmatch=True))
def test_ids_are_safe_as_file_names(text: str) -> None:
    assert len(text) <= 100
    assert Path(text).name == text and text not in (".", "..") and text.isascii() and text.isprintable()


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://cdn.example/v.mp4?token=s3cret#t", "https://cdn.example/v.mp4"),
        ("https://u:p@cdn.example:81/v", "https://cdn.example:81/v"),
        ("https://www.youtube.com/watch?v=abc&pp=x", "https://www.youtube.com/watch?v=abc"),
        ("https://notyoutube.com/watch?v=abc", "https://notyoutube.com/watch"),
        ("/home/me/clip.mp4", "clip.mp4"),
    ],
)
def test_publishes_no_secrets(url: str, public: str) -> None:
    assert public_url(url) == public


def test_credits_of_the_table_go_first() -> None:
    record = {"source": {"license": "standard", "title": "A\ttitle"}}
    credits = credits_of(record, {"license": "CC BY 4.0", "title": ""})
    assert (credits["license"], credits["title"]) == ("CC BY 4.0", "A title")


def test_messages_lose_the_secrets_of_addresses() -> None:
    url = "https://cdn.example/v.mp4?token=aaa.s3cret.bbb&n=1"
    text = f"Unsupported URL: {url}. 'https://u:pw@b.example/x?sig=abcd', v?token=aaa.s3cret.bbb&n=1 aaa.s3cret.bbb"
    told = redact(text, url)
    assert not [secret for secret in ("s3cret", "sig=", "pw@", "token") if secret in told], told
    assert told.startswith("Unsupported URL: https://cdn.example/v.mp4")
    page = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert redact(f"[youtube] dQw4w9WgXcQ: gone, see {page}", page) == f"[youtube] dQw4w9WgXcQ: gone, see {page}"
    assert redact("http://[::1/x is odd", "clip.mp4") == "(malformed URL) is odd"


def test_parts_of_one_video_cannot_be_put_in_two_splits(tmp_path: Path) -> None:
    rows = "a\thttps://a.example/1\t0\t5\ttrain\nb\thttps://a.example/1\t5\t9\tval\nc\thttps://a.example/1\t9\n"
    with pytest.raises(UserError, match="line 3: split 'val', but another part of the same url is in 'train'"):
        read_videos(write(tmp_path, rows))


def test_only_line_feeds_end_rows(tmp_path: Path) -> None:
    videos = read_videos(write(tmp_path, "a\thttps://a.example/1\t\t\t\tone\u2028two\n"))
    assert videos["a"].extra["place"] == "one\u2028two"
