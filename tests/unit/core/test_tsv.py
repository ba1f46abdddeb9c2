"""Tab-separated tables come back as they were written."""

import csv
from pathlib import Path

import pytest

from scripts.core.tsv import read_tsv, tsv_text


def test_cells_with_tabs_and_line_ends_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(tsv_text(["a", "b"], [{"a": "x\ty", "b": None, "c": 1}, {"a": "é\n", "b": 2}]))
    assert (tmp_path / "t").read_bytes().startswith(b'a\tb\n"x\ty"\t\n')
    assert read_tsv(tmp_path / "t") == [{"a": "x\ty", "b": ""}, {"a": "é\n", "b": "2"}]


def test_without_quotes_such_cells_are_an_error() -> None:
    assert tsv_text(["a"], [{"a": 'say "hi"'}], quoted=False) == 'a\nsay "hi"\n'
    with pytest.raises(csv.Error):
        tsv_text(["a"], [{"a": "x\ty"}], quoted=False)
