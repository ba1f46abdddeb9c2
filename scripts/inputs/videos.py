"""The video table: read it, and say everything that is wrong with it at once."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scripts.core.errors import UserError

VIDEO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SPLITS = ("train", "val", "test")
COLUMNS = ("video", "url", "start_s", "end_s", "split")
# The columns of results/registry.tsv, one row per video; the user's own columns follow.
REGISTRY_COLUMNS = (
    "video", "url", "split", "status", "message", "duration_s", "media_bytes",
    "frames", "looked_at", "passed", "kept", "exported", "objects", "license", "title",
)  # fmt: skip
MAX_SECONDS = 999_999  # frames are named by nine digits of milliseconds
CREDITS = frozenset({"title", "uploader", "channel", "license", "upload_date"})  # the table's go before the site's


@dataclass(frozen=True)
class Video:
    """One row of the table; `extra` holds the user's own columns."""

    video: str
    url: str
    start_s: float
    end_s: float | None
    split: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether `url` is a path on this machine."""
        return is_local(self.url)


def is_local(url: str) -> bool:
    """Tell a path from a URL: whatever starts with a scheme is a URL."""
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", url)


def read_videos(table: Path) -> dict[str, Video]:
    """Read the table (UTF-8, tab-separated) by video id, in its order; raise UserError with every problem in it."""
    problems: list[str] = []
    videos: dict[str, Video] = {}
    seen: dict[tuple[object, ...], int] = {}
    splits: dict[str, str] = {}
    for line, cells in read_lines(table):
        video, faults = parse_row(cells)
        for key, what in _unique_keys(video):
            if seen.setdefault(key, line) != line:
                faults.append(f"same {what} as line {seen[key]}")
        if video.split and splits.setdefault(video.url, video.split) != video.split:
            faults.append(f"split '{video.split}', but another part of the same url is in '{splits[video.url]}'")
        problems += [f"{table}, line {line}: {fault}" for fault in faults]
        videos[video.video] = video
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) in the video table:", *problems]))
    return videos


def _unique_keys(video: Video) -> Iterator[tuple[tuple[object, ...], str]]:
    if video.video:
        yield ("id", video.video.casefold()), "video id"
    if video.url:
        yield ("clip", video.url, video.start_s, video.end_s), "url with the same start and end"


def read_lines(table: Path, holding: str = "") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row, or of those with a text in them; raise UserError if it is no table."""
    lines = table_lines(table)
    number = header_line(lines)
    header = split_cells(lines[number]) if number is not None else []
    _check_header(table, (number or 0) + 1, header)
    for line, text in enumerate(lines[(number or 0) + 1 :], (number or 0) + 2):
        if holding not in text or _is_blank(text):
            continue
        cells = split_cells(text)
        if len(cells) == 1:
            raise UserError(f"{table}, line {line}: '{text}' holds no tab: part cells by tabs, not by spaces or commas")
        if len(cells) > len(header):
            raise UserError(f"{table}, line {line}: {len(cells)} cells under {len(header)} columns")
        yield line, dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))


def table_lines(table: Path) -> list[str]:
    """Return the lines of a table; only line feeds end a line, whatever other separators Unicode knows."""
    if not table.exists():
        raise UserError(
            f"no video table at {table.absolute()}: write it there (`make init` lays out an example), or name yours"
            " under config key 'videos'"
        )
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"config key 'videos': cannot read the video table {table.absolute()}: {error}") from None
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
        found = f"'{header[0]}' holds no tab" if header else "there is none"
        raise UserError(
            f"{table}, line {line}: the header must name columns parted by tabs, not by spaces or commas, but {found}"
            f" (columns: {columns}, and your own)"
        )
    faults = [f"column '{name}' is missing" for name in ("video", "url") if name not in header]
    faults += [f"column '{name}' stands twice" for name in sorted({n for n in header if header.count(n) > 1})]
    reserved = set(REGISTRY_COLUMNS) - set(COLUMNS) - CREDITS
    faults += [f"column '{name}' bears the name of a registry column; rename it" for name in header if name in reserved]
    if faults:
        raise UserError(f"{table}, line {line}: {'; '.join(faults)} (tab-separated columns: {columns}, and your own)")


def parse_row(cells: dict[str, str]) -> tuple[Video, list[str]]:
    """Return the video of one row, and what is wrong with it."""
    faults: list[str] = []
    start_s = _seconds(cells, "start_s", faults)
    end_s = _seconds(cells, "end_s", faults)
    if end_s is not None and end_s <= (start_s or 0.0):
        faults.append(f"end_s {end_s:g} is not after start_s {start_s or 0.0:g}")
    if not VIDEO_ID.fullmatch(cells["video"]):
        faults.append(
            f"video id '{cells['video']}' is not 1 to 100 characters of A-Z a-z 0-9 . _ -, the first a letter or digit"
        )
    if cells.get("split", "") not in ("", *SPLITS):
        faults.append(f"split '{cells['split']}' is none of {', '.join(SPLITS)} (empty: chosen by the workflow)")
    if fault := url_fault(cells["url"]):
        faults.append(fault)
    extra = {key: cell for key, cell in cells.items() if key not in COLUMNS}
    return Video(cells["video"], cells["url"], start_s or 0.0, end_s, cells.get("split", ""), extra), faults


def _seconds(cells: dict[str, str], column: str, faults: list[str]) -> float | None:
    text = cells.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_SECONDS:
        faults.append(f"{column} '{text}' is not a number of seconds from 0 to {MAX_SECONDS}")
        return None
    return value


def url_fault(url: str) -> str | None:
    """Say what is wrong with a source: an http(s) URL without credentials, or the path of a file."""
    if not url:
        return "url is empty"
    if is_local(url):
        return _path_fault(Path(url))
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username or parts.password
        parts.port  # noqa: B018 - raises on a bad port
    except ValueError as error:
        return f"url '{url}' is malformed: {error}"
    if parts.scheme.lower() not in ("http", "https") or not host:
        return f"url '{url}' is neither http(s)://host/... nor the path of a file"
    if user:
        return f"url of host {host} carries a user name or password; remove them"
    if "__youtubedl_smuggle" in url or any(c.isspace() or not c.isprintable() for c in url):
        return f"url '{url}' holds characters or markers that no page address has"
    return None


def _path_fault(path: Path) -> str | None:
    if set("{}") & set(str(path)):
        return f"file name '{path}' holds braces, which Snakemake takes for wildcards: rename it"
    if path.is_file():
        return None
    if path.is_dir():
        return f"'{path}' is a folder: give each file in it a row"
    page = " (if it is a page: https:// is missing)" if "." in path.parts[0] and len(path.parts) > 1 else ""
    return f"no such file: '{path}', looked for in {Path.cwd()}{page}"


def stage_outputs(videos: Iterable[str], **stages: Iterable[str]) -> dict[str, dict[str, Path]]:
    """Return, for each video, the path that each named stage made of it; all lists are in the order of the videos."""
    columns = [map(Path, paths) for paths in stages.values()]
    return {
        video: dict(zip(stages, paths, strict=True))
        for video, paths in zip(videos, zip(*columns, strict=True), strict=True)
    }
