"""Which rows a run works on: those of its table but for the excluded ones, or of a published one."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.inputs.published import read_published_videos
from scripts.inputs.videos import Video, read_lines, read_videos


def rows_of(config: Mapping[str, Any]) -> dict[str, Video]:
    """Return the rows that the run works on; none if the table is still to be written by expand_sources."""
    listed, excluded = listed_rows(config), set(config["exclude"])
    splits = {row.url: row.split for row in listed.values() if row.split}  # an excluded part moves no other one
    return {v: replace(row, split=splits.get(row.url, "")) for v, row in listed.items() if v not in excluded}


def parts_of(config: Mapping[str, Any], video: str) -> dict[str, str]:
    """Return the URL of each row that is a part of the same source as this one; none if the row is not there.

    Each filter job asks, so no other row is looked at: checking all of them each time would take longer than filtering.
    """
    table = Path(config["videos"])
    urls = {cells["url"] for _, cells in read_lines(table, video) if cells["video"] == video}
    rows = [cells for url in urls for _, cells in read_lines(table, url) if cells["url"] == url]
    parts = {cells["video"]: cells["url"] for cells in rows if cells["video"] not in config["exclude"]}
    return parts if video in parts else {}


def no_dataset(config: Mapping[str, Any], rows: Mapping[str, Video]) -> str:
    """Say why no dataset can be made of these rows, or nothing."""
    if config["rehydrate"]:
        return "config key rehydrate: it goes with the target rehydrate alone, as in `snakemake rehydrate ...`"
    if rows:
        return ""
    table = Path(config["videos"]).absolute()
    if config["exclude"]:
        return f"config key exclude: no other row is in {table}; to take down all, delete results/, logs/, benchmarks/"
    how = "add rows, or list playlists under config key 'sources' and run `snakemake expand_sources`"
    return f"no videos in {table}: {how}"


def listed_rows(config: Mapping[str, Any]) -> dict[str, Video]:
    """Return all rows, the excluded ones too; raise UserError if one is excluded that is not there."""
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
                " (a row that is no longer there is taken down without being named)"
            )
    return rows


def check_removed(removed: Collection[str], known_count: int, max_removed_share: float) -> None:
    """Raise UserError if more than one video, and more than this share of those known, is gone from the table."""
    if len(removed) <= max(1, max_removed_share * known_count):
        return
    named = ", ".join(sorted(removed)[:5]) + (", ..." if len(removed) > 5 else "")
    raise UserError(
        f"{len(removed)} of {known_count} videos that this run folder holds are no longer in the table, more than"
        f" max_removed_share = {max_removed_share:g} ({named}). Nothing was deleted: is it the right table? If"
        " it is, run once with `--config max_removed_share=1`; rows that are still in the table can be excluded"
        " in any number (config key exclude)"
    )
