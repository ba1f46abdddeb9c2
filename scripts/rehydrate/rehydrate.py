"""Lay out a published dataset from the pictures that were taken again, and say which are lost and why."""

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import link_file, write_text
from scripts.core.layout import DATA_YAML, MANIFEST_TABLE, RETAKEN_TABLE
from scripts.core.tables import read_rows
from scripts.core.tsv import tsv_text
from scripts.dataset.formats.yolo import data_yaml, label_lines
from scripts.dataset.manifest import class_names_of, read_published
from scripts.inputs.published import published_lines
from scripts.inputs.videos import SPLITS, is_local
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Row = dict[str, Any]
LOSSES = ("video", "frame", "reason")


def rehydrate(published: Path, retaken: dict[str, Path], out: Path) -> None:
    """Write images, labels and data.yaml for the pictures that are as published, and losses.tsv for the others.

    `published` is the folder of the manifest and the table, `retaken` the folder of each video that was there.
    """
    manifest = published / MANIFEST_TABLE
    names, wanted = class_names_of(manifest), read_published(manifest)
    urls = {cells["video"]: cells["url"] for _, cells in published_lines(published)}
    outcomes = {(v, row["frame"]): row for v, folder in retaken.items() for row in read_rows(folder / RETAKEN_TABLE)}
    for folder in (out / kind / split for kind in ("images", "labels") for split in SPLITS):
        folder.mkdir(parents=True, exist_ok=True)  # empty splits too
    losses, counts = [], Counter[str]()
    for row in wanted:
        outcome = outcomes.get((row["video"], row["frame"])) or absent(row["video"], urls)
        counts[outcome["outcome"]] += 1
        if outcome["outcome"] == "lost":
            losses.append({"video": row["video"], "frame": row["frame"], "reason": outcome["reason"]})
            continue
        link_file(retaken[row["video"]] / row["frame"], out / row["file"])
        label = Path("labels", *Path(row["file"]).parts[1:]).with_suffix(".txt")
        write_text(out / label, label_lines(row, names))
    write_text(out / DATA_YAML, data_yaml(names))
    write_text(out / "losses.tsv", tsv_text(LOSSES, losses))
    logging.log(logging.WARNING if losses else logging.INFO, "%s", told(counts, len(wanted), out))


def absent(video: str, urls: dict[str, str]) -> Row:
    """Return the outcome of a frame whose video could not even be asked for."""
    if video not in urls:
        why = "videos.tsv does not list it"
    elif is_local(urls[video]):
        why = f"no file {urls[video]} where rehydrate looks for it"
    else:
        why = "it is excluded"
    return {"outcome": "lost", "reason": f"video unavailable: {why}"}


def told(counts: Counter[str], total: int, out: Path) -> str:
    """Return the closing line."""
    made = total - counts["lost"]
    lost = f", {counts['lost']} lost ({out / 'losses.tsv'} says why)" if counts["lost"] else ", none lost"
    how = f"{counts['identical']} identical, {counts['same picture']} re-encoded"
    return f"rehydrated {made} of {total} pictures: {how}{lost}"


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    rehydrate(
        published=Path(snakemake.input.manifest).parent,
        retaken=dict(zip(snakemake.params.videos, map(Path, snakemake.input.frames), strict=True)),
        out=Path(snakemake.output.dataset),
    )
