"""Read the lines and cells of the video table. It is UTF-8 and tab-separated."""

from collections.abc import Iterator
from pathlib import Path

from scripts.core.errors import UserError
from scripts.inputs.columns import COLUMNS, CREDITS, REGISTRY_COLUMNS

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {",": "commas", ";": "semicolons"}


def read_lines(table: Path, containing: str = "") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row, or only of rows that contain a text. Raise UserError for a bad table."""
    lines = table_lines(table)
    number = header_line(lines)
    header = split_cells(lines[number]) if number is not None else []
    _check_header(table, (number or 0) + 1, header)
    for line, text in enumerate(lines[(number or 0) + 1 :], (number or 0) + 2):
        if containing not in text or _is_blank(text):
            continue
        cells = split_cells(text)
        if len(cells) == 1:
            raise UserError(
                f"{table}, line {line}: '{text}' contains no tab: separate cells by tabs, not by spaces or commas"
            )
        if len(cells) > len(header):
            raise UserError(f"{table}, line {line}: {len(cells)} cells under {len(header)} columns")
        yield line, dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))


def table_lines(table: Path) -> list[str]:
    """Return the lines of a table. Only line feeds end a line, not the other line separators of Unicode."""
    if not table.exists():
        raise UserError(
            f"no video table at {table.absolute()}: write it there (`make init` creates an example), or set config key"
            " videos to the path of yours"
        )
    where = f"config key videos: cannot read the video table {table.absolute()}"
    try:
        raw = table.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{where}: {error}") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = "it is UTF-16" if raw.startswith(UTF16_MARKS) else f"line {line} is not UTF-8"
        raise UserError(f"{where}: {found}: save it as UTF-8, tab-separated") from None
    if "\0" in text:
        raise UserError(f"{where}: it is UTF-16 or no text: save it as UTF-8, tab-separated")
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def header_line(lines: list[str]) -> int | None:
    """Return the index of the header: the first line that is neither blank nor a # comment."""
    return next((i for i, line in enumerate(lines) if not _is_blank(line)), None)


def split_cells(line: str) -> list[str]:
    """Return the cells of a line without the blanks around them."""
    return [cell.strip() for cell in line.split("\t")]


def _is_blank(line: str) -> bool:
    return not line.strip() or line.strip().startswith("#")


def _check_header(table: Path, line: int, header: list[str]) -> None:
    columns = ", ".join(COLUMNS)
    marks = [mark for mark in SEPARATORS if header and {"video", "url"} <= {c.strip() for c in header[0].split(mark)}]
    if len(header) == 1 and marks:
        raise UserError(
            f"{table}, line {line}: the columns are separated by {SEPARATORS[marks[0]]}, not by tabs: save the table as"
            " UTF-8, tab-separated (a spreadsheet calls that text or TSV)"
        )
    if len(header) < 2:
        found = f"'{header[0]}' contains no tab" if header else "there is none"
        raise UserError(
            f"{table}, line {line}: the header must name columns separated by tabs, not by spaces or commas, but"
            f" {found} (columns: {columns}, and your own)"
        )
    faults = [f"column '{name}' is missing" for name in ("video", "url") if name not in header]
    faults += [f"column '{name}' appears twice" for name in sorted({n for n in header if header.count(n) > 1})]
    reserved = set(REGISTRY_COLUMNS) - set(COLUMNS) - CREDITS
    faults += [f"column '{name}' has the name of a registry column: rename it" for name in header if name in reserved]
    if faults:
        raise UserError(f"{table}, line {line}: {'; '.join(faults)} (tab-separated columns: {columns}, and your own)")
