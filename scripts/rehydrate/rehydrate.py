"""Write a published dataset from the frames that were extracted again, and list the lost ones with reasons."""

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.files import link_file, write_text
from scripts.core.layout import MANIFEST_TABLE, RETAKEN_TABLE
from scripts.core.row_types import RetakenRow
from scripts.core.tables import read_rows
from scripts.core.tsv import tsv_text
from scripts.dataset.formats.yolo import label_lines, write_index
from scripts.dataset.manifest import class_names_of, read_published
from scripts.inputs.published import published_lines
from scripts.inputs.urls import is_local
from scripts.inputs.videos import SPLITS
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


LOSSES = ("video", "frame", "reason")


def rehydrate(published: Path, retaken: dict[str, Path], out: Path) -> None:
    """Write images, labels and data.yaml for the frames that are as published, and losses.tsv for the others.

    `published` is the folder of the manifest and the table, `retaken` has the folder of each video that was found.
    """
    manifest = published / MANIFEST_TABLE
    names, wanted = class_names_of(manifest), read_published(manifest)
    urls = {cells["video"]: cells["url"] for _, cells in published_lines(published)}
    outcomes = {video: outcomes_in(folder) for video, folder in retaken.items()}
    for folder in (out / kind / split for kind in ("images", "labels") for split in SPLITS):
        folder.mkdir(parents=True, exist_ok=True)  # empty splits too
    losses, counts = [], Counter[str]()
    files: dict[str, list[str]] = {split: [] for split in SPLITS}
    for row in wanted:
        video, frame = row["video"], row["frame"]
        outcome = outcomes.get(video, {}).get(frame) or without_video(frame, video, urls)
        counts[outcome["outcome"]] += 1
        if outcome["outcome"] == "lost":
            losses.append({"video": video, "frame": frame, "reason": outcome["reason"]})
            continue
        link_file(retaken[video] / frame, out / row["file"])
        label = Path("labels", *Path(row["file"]).parts[1:]).with_suffix(".txt")
        write_text(out / label, label_lines(row, names))
        files[Path(row["file"]).parts[1]].append(row["file"])
    write_index(out, names, files)
    write_text(out / "losses.tsv", tsv_text(LOSSES, losses))
    logging.log(logging.WARNING if losses else logging.INFO, "%s", summary_line(counts, len(wanted), out))


def outcomes_in(folder: Path) -> dict[str, RetakenRow]:
    """Return the row of each frame in a video's retaken.parquet."""
    rows: list[RetakenRow] = read_rows(folder / RETAKEN_TABLE)
    return {row["frame"]: row for row in rows}


def without_video(frame: str, video: str, urls: dict[str, str]) -> RetakenRow:
    """Return the outcome of a frame whose video was not looked for."""
    if video not in urls:
        why = "videos.tsv does not list it"
    elif is_local(urls[video]):
        why = f"no file {urls[video]} where rehydrate looks for it"
    else:
        why = "it is excluded"
    return {"frame": frame, "outcome": "lost", "reason": f"video unavailable: {why}", "distance_bits": None}


def summary_line(counts: Counter[str], total: int, out: Path) -> str:
    """Return the closing line: how many images were made, and how."""
    made = total - counts["lost"]
    lost = f", {counts['lost']} lost ({out / 'losses.tsv'} says why)" if counts["lost"] else ", none lost"
    how = f"{counts['identical']} identical, {counts['same picture']} re-encoded"
    return f"rehydrated {made} of {total} images: {how}{lost}"


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    rehydrate(
        published=Path(snakemake.input.manifest).parent,
        retaken=dict(zip(snakemake.params.videos, map(Path, snakemake.input.frames), strict=True)),
        out=Path(snakemake.output.dataset),
    )
