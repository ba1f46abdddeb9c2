"""Read and check the video table of a published dataset, from which others make the same images again."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from scripts.core.errors import UserError
from scripts.core.layout import MANIFEST_TABLE, VIDEOS_TABLE
from scripts.inputs.columns import CREDITS
from scripts.inputs.hdr import AS_IS, TONEMAP
from scripts.inputs.table import read_lines
from scripts.inputs.urls import is_local
from scripts.inputs.videos import Video, parse_row

# Besides the video, its part and the times, its images depend on these settings. Least and most allowed value.
SETTINGS = {"max_height_px": (144, 4320), "max_side_px": (32, 16384), "jpeg_qscale": (2, 31)}
HDR = "hdr"  # the column of frames.hdr
COLUMNS = ("video", "url", "start_s", "end_s", "split", "sha256", *SETTINGS, HDR)


class ImageSettings(TypedDict):
    """The settings that the images of a video depend on."""

    max_height_px: int
    max_side_px: int
    jpeg_qscale: int
    hdr: str


class PublishedVideo(ImageSettings):
    """A row of the video table, with the settings of its images. `extra` has only columns that are credits."""

    video: str
    url: str
    start_s: float
    end_s: float | None
    split: str
    extra: dict[str, str]


def read_published_videos(folder: Path, media: Path) -> dict[str, Video]:
    """Return the rows of a published table, without those whose local file is not in the folder `media`.

    Only the file name of a local video is published. Raise UserError with every problem in the table.
    """
    problems: list[str] = []
    videos: dict[str, Video] = {}
    for line, cells in published_lines(folder):
        faults = list(_settings_faults(cells))
        if is_local(cells["url"]):
            if Path(cells["url"]).name != cells["url"]:
                faults.append(f"'{cells['url']}' is neither an http(s) URL nor a file name without folders")
            elif not (media / cells["url"]).is_file():
                continue
            cells = cells | {"url": str(media / cells["url"])}
        video, more = parse_row(cells)
        faults += more if not faults else []
        faults += [f"video id '{video.video}' appears twice"] if video.video in videos else []
        problems += [f"{folder / VIDEOS_TABLE}, line {line}: {fault}" for fault in faults]
        videos[video.video] = video
    if problems:
        raise UserError("\n".join([f"{len(problems)} problem(s) in the published table:", *problems]))
    return videos


def published_lines(folder: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row of a published table. Raise UserError if there is none."""
    for name in (VIDEOS_TABLE, MANIFEST_TABLE):
        if not (folder / name).is_file():
            raise UserError(
                f"config key rehydrate: no {name} in '{folder}' (looked for in {Path.cwd()}); allowed: a folder with"
                f" {VIDEOS_TABLE} and {MANIFEST_TABLE} of a published dataset"
            )
    return read_lines(folder / VIDEOS_TABLE)


def _settings_faults(cells: dict[str, str]) -> Iterator[str]:
    for key, (least, most) in SETTINGS.items():
        text = cells.get(key, "")
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            yield f"{key} '{text}' is not a whole number from {least} to {most}"
    if published_hdr(cells) not in (TONEMAP, AS_IS):
        yield f"{HDR} '{cells[HDR]}' is neither {TONEMAP} nor {AS_IS}"


def published_hdr(cells: Mapping[str, str]) -> str:
    """Return what frames.hdr was for a row of a published table. Older tables lack it: HDR was not tone-mapped then."""
    return cells.get(HDR) or AS_IS


def published_options(config: Mapping[str, Any], videos: Mapping[str, Video]) -> dict[str, int]:
    """Return the download settings that a published dataset was made with; none if the run rehydrates nothing."""
    if not config["rehydrate"]:
        return {}
    return {"max_height_px": max(int(row.extra["max_height_px"]) for row in videos.values())} if videos else {}


def manifest_of(config: Mapping[str, Any]) -> str:
    """Return the path of the manifest to rehydrate. Raise UserError if the configuration has none."""
    if not config["rehydrate"]:
        raise UserError(
            "target rehydrate: name the dataset with `--config rehydrate=FOLDER`, a folder that contains videos.tsv"
        )
    return str(Path(config["rehydrate"]) / MANIFEST_TABLE)


def published_row(config: Mapping[str, Any], video: Video) -> PublishedVideo:
    """Return a row as the export publishes it: without the user's own columns, unless they are credits."""
    return {
        "video": video.video,
        "url": video.source,
        "start_s": video.start_s,
        "end_s": video.end_s,
        "split": video.split,
        "extra": {name: text for name, text in video.extra.items() if name in CREDITS},
        "max_height_px": config["download"]["max_height_px"],
        "max_side_px": config["frames"]["max_side_px"],
        "jpeg_qscale": config["frames"]["jpeg_qscale"],
        "hdr": config["frames"]["hdr"],
    }


def check_rehydration(targets: Collection[str], results: Path) -> None:
    """Raise UserError if a run would mix a published dataset with one made from the user's own table."""
    if "rehydrate" not in targets:
        raise UserError("config key rehydrate: use it only with the target rehydrate, as in `snakemake rehydrate ...`")
    if (results / "dedup").exists():
        raise UserError(f"config key rehydrate: {results.absolute()} contains another dataset; choose an empty folder")
