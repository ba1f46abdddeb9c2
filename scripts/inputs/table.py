"""Read the lines and cells of the video table. It is UTF-8 and tab-separated."""

from collections.abc import Iterator
from pathlib import Path

from scripts.core.errors import UserError
from scripts.inputs.columns import COLUMNS, CREDITS, REGISTRY_COLUMNS


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
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"config key videos: cannot read the video table {table.absolute()}: {error}") from None
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
