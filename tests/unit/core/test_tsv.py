"""Tab-separated tables come back as they were written."""

import csv
from pathlib import Path

import pytest

from scripts.core.tsv import as_text, read_tsv, tsv_text


def test_cells_with_tabs_and_line_ends_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(tsv_text(["a", "b"], [{"a": "x\ty", "b": None, "c": 1}, {"a": "é\n", "b": 2}]))
    assert (tmp_path / "t").read_bytes().startswith(b'a\tb\n"x\ty"\t\n')
    assert read_tsv(tmp_path / "t") == [{"a": "x\ty", "b": ""}, {"a": "é\n", "b": "2"}]


def test_without_quotes_such_cells_are_an_error() -> None:
    assert tsv_text(["a"], [{"a": 'say "hi"'}], quoted=False) == 'a\nsay "hi"\n'
    with pytest.raises(csv.Error):
        tsv_text(["a"], [{"a": "x\ty"}], quoted=False)


@pytest.mark.public_report(
    "hhurz/tableExport.jquery.plugin 230",
    saw="a title that begins with = starts a program when the exported table is opened in a spreadsheet",
    here="such a cell begins with an apostrophe, so spreadsheets show it as text",
)
@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"])
def test_spreadsheets_show_texts_that_look_like_formulas(cell: str) -> None:
    assert tsv_text(["a"], [{"a": cell}]).splitlines()[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("cell", ["", "-3.5", "+2", "-7", -3.5, None, "a=b", "2026-01-02", "[=]"])
def test_numbers_and_other_texts_stay(cell: object) -> None:
    assert as_text(cell) == cell


@pytest.mark.public_report(
    "gwforg/gwf 177",
    saw="_csv.Error: field larger than field limit (131072)",
    here="texts of sites are cut at 1000 characters, and a cell of any length is read",
)
def test_a_cell_of_any_length_is_read(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(tsv_text(["a"], [{"a": "x" * 200_000}]))
    assert len(read_tsv(tmp_path / "t")[0]["a"]) == 200_000
