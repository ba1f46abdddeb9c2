"""Write and read tab-separated tables with a header."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FORMULA = re.compile(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def as_text(cell: Any) -> Any:
    """Return a cell that a spreadsheet shows as it is; it would run a text that begins like a formula."""
    is_formula = isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def tsv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], quoted: bool = True) -> str:
    """Return a table as text. None is an empty cell.

    Without quotes the table is for programs: its cells stay as they are, and a tab or line end in one raises csv.Error.
    """
    text = io.StringIO()
    quoting: dict[str, Any] = {} if quoted else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    writer = csv.writer(text, delimiter="\t", lineterminator="\n", **quoting)
    writer.writerow(columns)
    show = as_text if quoted else lambda cell: cell
    writer.writerows([show(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as dicts, whatever the length of a cell."""
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
