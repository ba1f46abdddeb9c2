"""Divide the videos into shards, so that jobs on all videos depend on a job per shard instead of several per video.

For each input of a job, Snakemake looks through all jobs that it depends on.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.core.files import delete_folder
from scripts.core.layout import (
    RESULTS,
    detections_table,
    filter_table,
    frames_table,
    hashes_table,
    media_folder,
    record_path,
)
from scripts.inputs.gathered import DETECTIONS_FOLDER, FOLDERS, VIDEOS_FOLDER
from scripts.inputs.rows import no_dataset
from scripts.run.begin import stop_run
from scripts.run.snakemake_internals import force_outputs

MOST_VIDEOS = 100  # in a shard, on average


def divide(videos: Collection[str]) -> dict[str, list[str]]:
    """Return the videos of each shard, by its name. An added video changes its own shard.

    The number of shards is a power of two: one more video makes others of all shards only if it doubles the number.
    """
    count = 1
    while count * MOST_VIDEOS < len(videos):
        count *= 2
    shards: dict[str, list[str]] = {}
    for video in sorted(videos):
        number = int(hashlib.sha256(video.encode()).hexdigest()[:8], 16) % count
        shards.setdefault(f"{number}of{count}", []).append(video)
    return dict(sorted(shards.items()))


def all_shards_in(shards: Mapping[str, Sequence[str]], config: Mapping[str, Any], wildcards: object) -> list[str]:
    """Return what is gathered of all videos before deduplication. End the run if the table has none."""
    videos = [video for of_shard in shards.values() for video in of_shard]
    if fault := no_dataset(config, videos):  # only here: expand_sources and --lint accept an empty table
        stop_run(fault)
    return [str(RESULTS / VIDEOS_FOLDER / shard) for shard in shards]


def outputs_to_gather(
    workflow: Any, shards: Mapping[str, Sequence[str]], vectors: str, wildcards: Mapping[str, str]
) -> list[str]:
    """Return the outputs of a shard's videos before deduplication; `vectors` is a pattern, or empty without vectors."""
    shard = wildcards["shard"]
    outputs = [record_path(RESULTS, video) for video in shards[shard]]
    outputs += [table(RESULTS, video).parent for table in (filter_table, hashes_table) for video in shards[shard]]
    outputs += [Path(vectors.format(video=video)) for video in shards[shard]] if vectors else []
    return _make_missing(workflow, RESULTS / VIDEOS_FOLDER / shard, outputs)


def detections_to_gather(workflow: Any, shards: Mapping[str, Sequence[str]], wildcards: Mapping[str, str]) -> list[str]:
    """Return the detections tables of a shard's videos."""
    shard = wildcards["shard"]
    outputs = [detections_table(RESULTS, video) for video in shards[shard]]
    return _make_missing(workflow, RESULTS / DETECTIONS_FOLDER / shard, outputs)


def _make_missing(workflow: Any, gathered: Path, outputs: Sequence[Path]) -> list[str]:
    """Return outputs of videos. If they were gathered before, this run makes missing ones again.

    Snakemake would not: it makes a missing file only for a job that runs anyway. A failed job has deleted its own.
    """
    if gathered.exists():
        force_outputs(workflow, [str(path) for path in outputs if not path.exists()])
    return [str(path) for path in outputs]


def make_missing_again(workflow: Any, results: Path, videos: Iterable[str], config: Mapping[str, Any]) -> list[str]:
    """Return no input for a target, but let its run make missing media and raw frames again if they are to be kept.

    No job on all videos reads them, so no shard has them.
    """
    named = [(media_folder(results, video), record_path(results, video)) for video in videos if config["keep_media"]]
    if not config["cleanup_raw_frames"]:
        named += [(frames_table(results, v).parent, filter_table(results, v).parent) for v in videos]
    # Without the later one, Snakemake makes both.
    force_outputs(workflow, [str(made) for made, later in named if later.exists() and not made.exists()])
    return []


def delete_old_shards(results: Path, shards: Collection[str]) -> None:
    """Delete what was gathered of other shards, when the table had another size."""
    for folder in FOLDERS:
        for path in sorted((results / folder).glob("*of*")):
            if path.name not in shards:
                delete_folder(path)
