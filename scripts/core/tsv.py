"""Write and read tab-separated tables with a header."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def tsv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], quoted: bool = True) -> str:
    """Return a table as text. None is an empty cell. Without quotes, a tab or line end in a cell raises csv.Error."""
    text = io.StringIO()
    quoting: dict[str, Any] = {} if quoted else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    writer = csv.writer(text, delimiter="\t", lineterminator="\n", **quoting)
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    return text.getvalue()


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as dicts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
