"""Select the rows that a run works on: those of its table without the excluded ones, or those of a published one."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.inputs.published import read_published_videos
from scripts.inputs.table import read_lines
from scripts.inputs.urls import source_of, youtube_id
from scripts.inputs.videos import Video, read_videos


def rows_of(config: Mapping[str, Any]) -> dict[str, Video]:
    """Return the rows that the run works on; none if expand_sources has not written the table yet."""
    listed, excluded = listed_rows(config), set(config["exclude"])
    splits = {row.source: row.split for row in listed.values() if row.split}  # of excluded parts too
    return {v: replace(row, split=splits.get(row.source, "")) for v, row in listed.items() if v not in excluded}


def parts_of(config: Mapping[str, Any], video: str) -> dict[str, str]:
    """Return the URL per video of all rows with the same source as this one; none if the row is gone or excluded.

    Each filter job calls this, so it parses no other rows: checking all of them would take longer than filtering.
    """
    table = Path(config["videos"])
    urls = {cells["url"] for _, cells in read_lines(table, video) if cells["video"] == video}
    texts = {source_of(url): youtube_id(url) or url for url in urls}  # that all rows of the source contain
    rows = [c for source, text in texts.items() for _, c in read_lines(table, text) if source_of(c["url"]) == source]
    parts = {cells["video"]: cells["url"] for cells in rows if cells["video"] not in config["exclude"]}
    return parts if video in parts else {}


def no_dataset(config: Mapping[str, Any], videos: Collection[str]) -> str:
    """Return why no dataset can be made from these videos; empty if it can."""
    if config["rehydrate"]:
        return "config key rehydrate: use it only with the target rehydrate, as in `snakemake rehydrate ...`"
    if videos:
        return ""
    table = Path(config["videos"]).absolute()
    if config["exclude"]:
        return f"config key exclude: it names all rows of {table}; to remove all, delete results/, logs/, benchmarks/"
    remedy = "add rows, or list playlists under config key sources and run `snakemake expand_sources`"
    return f"no videos in {table}: {remedy}"


def listed_rows(config: Mapping[str, Any]) -> dict[str, Video]:
    """Return all rows, also the excluded ones. Raise UserError if config key exclude names an unknown row."""
    if config["rehydrate"]:
        folder = Path(config["rehydrate"])
        return read_published_videos(folder, Path(config["rehydrate_media"] or folder))
    table = Path(config["videos"])
    if config["sources"] and not table.exists():
        return {}
    rows = read_videos(table)
    for video in config["exclude"]:
        if video not in rows:
            near = get_close_matches(video, rows, 3, 0.5) or list(rows)[:3]
            raise UserError(
                f"config key exclude: '{video}' is not in {table}; allowed: ids of its rows, such as {', '.join(near)}"
                " (rows that left the table need no exclude: their outputs are deleted)"
            )
    return rows


def check_removed(removed: Collection[str], known_count: int, max_removed_share: float) -> None:
    """Raise UserError if more than one video, and a larger share of the known ones than allowed, left the table."""
    if len(removed) <= max(1, max_removed_share * known_count):
        return
    named = ", ".join(sorted(removed)[:5]) + (", ..." if len(removed) > 5 else "")
    raise UserError(
        f"{len(removed)} of {known_count} videos of this run folder are no longer in the table, more than"
        f" max_removed_share = {max_removed_share:g} ({named}). Nothing was deleted. Is it the right table? If it is,"
        " run once with `--config max_removed_share=1`. There is no limit for rows that stay in the table and are"
        " excluded (config key exclude)"
    )
