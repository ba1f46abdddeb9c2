"""docs/public_reports.tsv: what users of other projects reported, and the test that shows what happens here.

A test that tries such a report carries `@pytest.mark.public_report("PROJECT NUMBER", saw="...", here="...")`, once
per report. REELSIEVE_WRITE_DOCS=1 writes the table from these marks, of all files under tests/.
"""

import ast
import os
import re
from pathlib import Path

from tests.conftest import REPO

TABLE = REPO / "docs" / "public_reports.tsv"
HEADER = ("report", "what users saw", "what happens here", "test")


def _rows_of(path: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.public_report":
                words = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
                test = f"{path.relative_to(REPO)}::{node.name}"
                rows.append((ast.literal_eval(mark.args[0]), words["saw"], words["here"], test))
    return rows


def _order(row: tuple[str, ...]) -> tuple[object, ...]:
    name, _, number = row[0].rpartition(" ")
    return (name.lower(), int(number) if number.isdigit() else 0, row)


def test_the_table_of_public_reports_is_that_of_the_tests() -> None:
    rows = sorted((row for path in (REPO / "tests").rglob("test_*.py") for row in _rows_of(path)), key=_order)
    text = "".join("\t".join(row) + "\n" for row in [HEADER, *rows])
    if os.environ.get("REELSIEVE_WRITE_DOCS"):
        TABLE.write_text(text)
    assert TABLE.read_text() == text
    assert not re.search(r"\t\t|\t\n", text), "an empty cell"
    assert all(len(row) == len(HEADER) and "\t" not in "".join(row) for row in rows)
