"""Read the rows of the video table, and report everything that is wrong with them at once."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.text import listed
from scripts.inputs.columns import COLUMNS
from scripts.inputs.table import read_lines
from scripts.inputs.urls import is_local, source_of, url_fault

VIDEO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SPLITS = ("train", "val", "test")
MAX_SECONDS = 999_999  # frames are named by nine digits of milliseconds


@dataclass(frozen=True)
class Video:
    """A row of the table. `extra` has the user's own columns."""

    video: str
    url: str
    start_s: float
    end_s: float | None
    split: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Return whether `url` is a path on this machine."""
        return is_local(self.url)

    @property
    def source(self) -> str:
        """Return what is the same for all addresses of this video."""
        return source_of(self.url)


def read_videos(table: Path) -> dict[str, Video]:
    """Return the table's rows by video id, in its order. Raise UserError with every problem in it."""
    problems: list[str] = []
    videos: dict[str, Video] = {}
    seen: dict[tuple[object, ...], int] = {}
    splits: dict[str, str] = {}
    for line, cells in read_lines(table):
        video, faults = parse_row(cells)
        for key, name in _unique_keys(video):
            if seen.setdefault(key, line) != line:
                faults.append(f"same {name} as line {seen[key]}")
        if video.split and splits.setdefault(video.source, video.split) != video.split:
            faults.append(f"split '{video.split}', but another part of the same url is in '{splits[video.source]}'")
        problems += [f"{table}, line {line}: {fault}" for fault in faults]
        videos[video.video] = video
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) in the video table:", *problems]))
    return videos


def _unique_keys(video: Video) -> Iterator[tuple[tuple[object, ...], str]]:
    """Yield each key that no other row may have, and its name for messages."""
    if video.video:
        yield ("id", video.video.casefold()), "video id"
    if video.url:
        yield ("clip", video.url, video.start_s, video.end_s), "url with the same start and end"


def describe_aliases(videos: Iterable[Video]) -> list[str]:
    """Return a line for each video that several rows name by different addresses."""
    rows: dict[str, list[Video]] = {}
    for video in videos:
        rows.setdefault(video.source, []).append(video)
    return [
        f"rows {listed([video.video for video in same])} are one video, {source}: it is downloaded once, and all are in"
        " one split (without start_s and end_s, all but one row can go)"
        for source, same in rows.items()
        if len({video.url for video in same}) > 1
    ]


def parse_row(cells: dict[str, str]) -> tuple[Video, list[str]]:
    """Return the video of a row, and a message for each fault in it."""
    faults: list[str] = []
    start_s = _seconds(cells, "start_s", faults)
    end_s = _seconds(cells, "end_s", faults)
    if end_s is not None and end_s <= (start_s or 0.0):
        faults.append(f"end_s {end_s:g} is not after start_s {start_s or 0.0:g}")
    if not VIDEO_ID.fullmatch(cells["video"]):
        faults.append(
            f"video id '{cells['video']}' must have 1 to 100 of the characters A-Z a-z 0-9 . _ - and start with a"
            " letter or digit"
        )
    if cells.get("split", "") not in ("", *SPLITS):
        faults.append(
            f"split '{cells['split']}' must be one of {', '.join(SPLITS)}, or empty (then the workflow chooses)"
        )
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
