"""The lines and cells of the video table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.inputs.table import read_lines


def test_reads_spreadsheet_exports(tmp_path: Path) -> None:
    table = tmp_path / "videos.tsv"
    table.write_bytes(b"\xef\xbb\xbfvideo\turl\r\na\thttps://a.example/x\r\n")
    assert [cells["video"] for _, cells in read_lines(table)] == ["a"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("video\tURL\n", "column 'url' is missing"),
        ("video\turl\turl\n", "column 'url' appears twice"),
        ("video\turl\tstatus\n", "column 'status' has the name of a registry column"),
        ("name\turl\n", "line 1: column 'video' is missing"),
        ("", "line 1: the header must name columns separated by tabs, .* but there is none"),
        ("video url\n", "separated by tabs, .* but 'video url' contains no tab"),
        ("video,url\n", "columns are separated by commas, not by tabs: save the table as UTF-8, tab-separated"),
        ("url; video ;place\n", "columns are separated by semicolons, not by tabs"),
        ("name,link\n", "not by spaces or commas, but 'name,link' contains no tab"),
    ],
)
def test_refuses_bad_headers(write_table: Callable[..., Path], header: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        list(read_lines(write_table("", header)))


def test_refuses_too_many_cells_and_unreadable_tables(tmp_path: Path, write_table: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="line 2: 3 cells under 2 columns"):
        list(read_lines(write_table("a\tb\tc\n", "video\turl\n")))
    with pytest.raises(UserError, match="line 2: 'a  b.mp4' contains no tab: separate cells by tabs"):
        list(read_lines(write_table("a  b.mp4\n", "video\turl\n")))
    with pytest.raises(UserError, match="no video table at .*none.tsv: write it there"):
        list(read_lines(tmp_path / "none.tsv"))
    (tmp_path / "latin.tsv").write_bytes("video\turl\nä\tb.mp4".encode("latin-1"))
    with pytest.raises(
        UserError, match="cannot read the video table .*: line 2 is not UTF-8: save it as UTF-8, tab-sep"
    ):
        list(read_lines(tmp_path / "latin.tsv"))


@pytest.mark.public_report(
    "dockur/windows 1979",
    saw="Text files that Windows saved as UTF-16 were not read.",
    here="The run stops before any work and says: save it as UTF-8, tab-separated.",
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_table_in_utf_16_says_how_to_save_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "wide.tsv").write_bytes("video\turl\na\tb.mp4\n".encode(encoding))
    with pytest.raises(UserError, match="wide.tsv: it is UTF-16.*: save it as UTF-8, tab-separated"):
        list(read_lines(tmp_path / "wide.tsv"))


def test_only_line_feeds_end_rows(write_table: Callable[..., Path]) -> None:
    ((_, cells),) = read_lines(write_table("a\thttps://a.example/1\t\t\t\tone\u2028two\n"))
    assert cells["place"] == "one\u2028two"


def test_line_numbers_count_comments_and_blank_lines(write_table: Callable[..., Path]) -> None:
    table = write_table("b\tx.mp4\n\na\ty.mp4\n# end\n", "# a comment\nvideo\turl\n")
    assert [(line, cells["video"]) for line, cells in read_lines(table)] == [(3, "b"), (5, "a")]


def test_rows_can_be_selected_by_a_text_in_them(write_table: Callable[..., Path]) -> None:
    table = write_table("b\tx.mp4\na\ty.mp4\n", "video\turl\n")
    assert [cells for _, cells in read_lines(table, "y.mp4")] == [{"video": "a", "url": "y.mp4"}]
