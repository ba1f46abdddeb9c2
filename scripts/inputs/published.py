"""The table of videos that goes with a published dataset, from which others make the same pictures again."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.layout import MANIFEST_TABLE, VIDEOS_TABLE
from scripts.inputs.videos import CREDITS, Video, is_local, parse_row, read_lines

# What the pictures of a video depend on, beside the video, its part that is wanted, and their times.
SETTINGS = {"max_height_px": (144, 4320), "max_side_px": (32, 16384), "jpeg_qscale": (2, 31)}
COLUMNS = ("video", "url", "start_s", "end_s", "split", "sha256", *SETTINGS)


def read_published_videos(folder: Path, media: Path) -> dict[str, Video]:
    """Return the rows of a published table, but for those whose local file is not in the folder `media`.

    A local video is published by its file name alone. Raise UserError with every problem in the table.
    """
    problems, videos = [], {}
    for line, cells in published_lines(folder):
        faults = list(_settings_faults(cells))
        if is_local(cells["url"]):
            if Path(cells["url"]).name != cells["url"]:
                faults.append(f"'{cells['url']}' is neither an http(s) URL nor the bare name of a file")
            elif not (media / cells["url"]).is_file():
                continue
            cells = cells | {"url": str(media / cells["url"])}
        video, more = parse_row(cells)
        faults += more if not faults else []
        faults += [f"video id '{video.video}' stands twice"] if video.video in videos else []
        problems += [f"{folder / VIDEOS_TABLE}, line {line}: {fault}" for fault in faults]
        videos[video.video] = video
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) in the published table:", *problems]))
    return videos


def published_lines(folder: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row of the published table."""
    for name in (VIDEOS_TABLE, MANIFEST_TABLE):
        if not (folder / name).is_file():
            raise UserError(
                f"config key rehydrate: no {name} in '{folder}', looked for in {Path.cwd()}; allowed: the folder with"
                f" {VIDEOS_TABLE} and {MANIFEST_TABLE} of a published dataset"
            )
    return read_lines(folder / VIDEOS_TABLE)


def _settings_faults(cells: dict[str, str]) -> Iterator[str]:
    for key, (least, most) in SETTINGS.items():
        text = cells.get(key, "")
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            yield f"{key} '{text}' is not a whole number from {least} to {most}"


def published_options(config: Mapping[str, Any], videos: Mapping[str, Video]) -> dict[str, int]:
    """Return the options of a download that a published dataset was made with; none in any other run."""
    if not config["rehydrate"]:
        return {}
    return {"max_height_px": max(int(row.extra["max_height_px"]) for row in videos.values())} if videos else {}


def manifest_of(config: Mapping[str, Any]) -> str:
    """Return the path of the manifest that is to be rehydrated."""
    if not config["rehydrate"]:
        raise UserError("target rehydrate: say which dataset: `--config rehydrate=FOLDER`, with videos.tsv in it")
    return str(Path(config["rehydrate"]) / MANIFEST_TABLE)


def settings_of_pictures(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the settings that the pictures of this run depend on, as they are published."""
    frames = {key: config["frames"][key] for key in ("max_side_px", "jpeg_qscale")}
    return {"max_height_px": config["download"]["max_height_px"]} | frames


def published_row(config: Mapping[str, Any], video: Video) -> dict[str, Any]:
    """Return what the dataset needs to know of a row: all but the user's columns that name no maker or licence."""
    extra = {name: text for name, text in video.extra.items() if name in CREDITS}
    return vars(video) | {"extra": extra} | settings_of_pictures(config)


def check_rehydration(targets: Collection[str], results: Path) -> None:
    """Raise UserError if a published dataset would be mixed with what is made of a table of one's own."""
    if "rehydrate" not in targets:
        raise UserError("config key rehydrate: it goes with the target rehydrate, as in `snakemake rehydrate ...`")
    if (results / "dedup").exists():
        raise UserError(
            f"config key rehydrate: {results.absolute()} holds a dataset of its own; choose an empty folder"
        )
