"""The rows of the video table: what is read, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.inputs.videos import VIDEO_ID, describe_aliases, read_videos


def test_reads_rows_in_order_with_own_columns(write_table: Callable[..., Path]) -> None:
    table = write_table("# a comment\nb\thttps://a.example/x\t1.5\t3\tval\tLyon\n\na\thttps://a.example/y\n")
    videos = read_videos(table)
    assert list(videos) == ["b", "a"]
    assert (videos["b"].start_s, videos["b"].end_s, videos["b"].split) == (1.5, 3.0, "val")
    assert videos["b"].extra == {"place": "Lyon"}
    assert (videos["a"].start_s, videos["a"].end_s, videos["a"].split) == (0.0, None, "")


@pytest.mark.public_report(
    "caltechlibrary/dataset 81", saw="names that differ only in case fall together on another file system",
    here="two video ids that differ only in case are refused, with both lines",
)  # fmt: skip
def test_reports_every_problem_at_once_with_its_line(write_table: Callable[..., Path]) -> None:
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
        read_videos(write_table("\n".join(rows) + "\n"))
    text = str(caught.value)
    for line, words in [
        (2, "video id '../up'"), (3, "no such file: 'gone.mp4'"), (4, "start_s 'soon'"), (4, "end_s '-1'"),
        (5, "end_s 5 is not after start_s 10"), (6, "same video id as line 3"), (7, "ftp://"), (8, "split 'dev'"),
        (9, "same url with the same start and end as line 6"),
    ]:  # fmt: skip
        assert any(f"line {line}:" in row and words in row for row in text.splitlines()), (line, words, text)
    assert text.startswith("9 problem(s)")


@given(st.from_regex(VIDEO_ID, fullmatch=True))
def test_ids_are_safe_as_file_names(text: str) -> None:
    assert len(text) <= 100
    assert Path(text).name == text and text not in (".", "..") and text.isascii() and text.isprintable()


def test_parts_of_one_video_cannot_be_put_in_two_splits(write_table: Callable[..., Path]) -> None:
    rows = "a\thttps://a.example/1\t0\t5\ttrain\nb\thttps://a.example/1\t5\t9\tval\nc\thttps://a.example/1\t9\n"
    with pytest.raises(UserError, match="line 3: split 'val', but another part of the same url is in 'train'"):
        read_videos(write_table(rows))


def test_times_end_where_the_names_of_frames_do(write_table: Callable[..., Path]) -> None:
    table = write_table("a\thttps://a.example/1\t0\t999999\n")
    assert read_videos(table)["a"].end_s == 999_999
    with pytest.raises(UserError, match="end_s '1000000' is not a number of seconds from 0 to 999999"):
        read_videos(write_table("a\thttps://a.example/1\t0\t1000000\n"))


FORMS = ("https://youtu.be/aaaaaaaaaaa?si=x", "https://www.youtube.com/watch?v=aaaaaaaaaaa&t=3")


def test_rows_of_one_video_by_different_addresses_are_named(write_table: Callable[..., Path]) -> None:
    other = "c\thttps://a.example/1\t0\t5\nd\thttps://a.example/1\t5\n"
    videos = read_videos(write_table(f"a\t{FORMS[0]}\nb\t{FORMS[1]}\n{other}"))
    (line,) = describe_aliases(videos.values())
    assert line.startswith(
        "rows a, b are one video, https://www.youtube.com/watch?v=aaaaaaaaaaa: it is downloaded once"
    )


def test_one_video_by_different_addresses_cannot_be_put_in_two_splits(write_table: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="line 3: split 'val', but another part of the same url is in 'train'"):
        read_videos(write_table(f"a\t{FORMS[0]}\t\t\ttrain\nb\t{FORMS[1]}\t\t\tval\n"))
