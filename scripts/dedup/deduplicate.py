"""Find frames that show the same, within and across videos, and keep the best of each group."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scripts.core.files import write_json
from scripts.core.layout import FILTER_TABLE
from scripts.core.schemas import COPIES
from scripts.core.tables import write_table
from scripts.dedup.distances import Search, measure_distances
from scripts.dedup.features import MEASURED, Hashes, VideoFiles, load_passed, load_vectors, read_appearances
from scripts.dedup.grouping import Check, Groups, Space, group_frames
from scripts.dedup.hash_space import HashSpace
from scripts.dedup.hashing import ASKED, KNOWN, MIRRORED, ROLES
from scripts.dedup.same_objects import View, same_objects, view_of
from scripts.dedup.vector_space import VectorSpace
from scripts.download.retries import check_outage
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


SCORE_STEP = 0.25  # less than a tenth cut off both sides takes, at the default weights
VIDEOS_AT_HAND, VIEWS_AT_HAND = 256, 4096  # whose boxes and thumbnails stay in memory


@dataclass(frozen=True)
class Rules:
    """What makes frames copies of each other, and which of them is kept (config key `dedup`)."""

    max_distance_bits: int
    compare_objects: bool
    match_mirrored: bool
    prefer: str
    weights: Mapping[str, float]


def deduplicate(sources: Mapping[str, VideoFiles], rules: Rules, copies: Path, kept: Path, distances: Path) -> None:
    """Write the table of copies, the kept frames of each video with their digest, and the distances of copies."""
    frames, hashes = load_passed(sources)
    frames["hash"] = first_hashes(hashes, len(frames))
    features, space = choose_space(sources, frames, hashes, rules)
    frames["score"] = scores(frames, rules.weights) if rules.prefer == "best" else 0.0
    order = visiting_order(frames)
    visited = frames.iloc[order].reset_index(drop=True)
    asked, known = features.select(asked_roles(rules), order), features.select(KNOWN, order)
    check = object_check(visited, asked, known, sources) if rules.compare_objects else hashes_alone
    numbers = {video: number for number, video in enumerate(sources)}
    stars = group_frames(asked, known, visited["video"].map(numbers).to_numpy(int), space, check)
    search = Search(asked, known, space, rules.max_distance_bits, check)
    write_json(distances, measure_distances((visited["video"] + "/" + visited["frame"]).tolist(), search, stars))
    frames = describe(visited, asked, stars).sort_values(["video", "frame"])
    write_table(copies, frames[COPIES.names].to_dict("records"), COPIES)
    by_video = dict(list(frames[frames["keep"]].groupby("video", sort=False)))
    write_json(kept, {video: kept_slice(by_video.get(video, frames.iloc[:0])) for video in sources})
    dropped = frames[~frames["keep"].astype(bool)]
    within = int((dropped["representative"].str.rsplit("/", n=1).str[0] == dropped["video"]).sum())
    logging.info("%d of %d frames kept", len(frames) - len(dropped), len(frames))
    logging.info("%d are copies within their video, %d of another one", within, len(dropped) - within)


def asked_roles(rules: Rules) -> frozenset[str]:
    """Return the roles by which a newcomer asks for copies of itself."""
    return ASKED | MIRRORED if rules.match_mirrored else ASKED


def choose_space(
    sources: Mapping[str, VideoFiles], frames: pd.DataFrame, hashes: Hashes, rules: Rules
) -> tuple[Hashes, Space]:
    """Return by what frames are compared, and the measure of it: vectors, if the sources have any, else hashes."""
    files = {video: source.vectors for video, source in sources.items() if source.vectors}
    if not files:
        return hashes, HashSpace(rules.max_distance_bits)
    counts = frames["video"].value_counts(sort=False)
    frames_of = {video: int(counts.get(video, 0)) for video in sources}
    return load_vectors(files, frames_of, KNOWN | asked_roles(rules)), VectorSpace(rules.max_distance_bits)


def first_hashes(hashes: Hashes, count: int) -> list[str]:
    """Return the first hash of each frame, of all between its bars, which stands for it in the audit."""
    first = np.searchsorted(hashes.owners, np.arange(count))
    return [f"{code:016x}" for code in hashes.codes[first].tolist()]


def visiting_order(frames: pd.DataFrame) -> np.ndarray:
    """Return row numbers in the order in which frames claim copies: the best first, equals by table and time.

    Backgrounds come last: a larger picture of an empty road must not stand for one with a small car.
    """
    return np.lexsort((-frames["score"].to_numpy(float), frames["background"].to_numpy(bool)))


def scores(frames: pd.DataFrame, weights: Mapping[str, float]) -> np.ndarray:
    """Return how much each frame is worth keeping: by itself alone, so that no other frame changes it.

    In steps, since a copy that is better by a hair must not take the place of what was labelled before.
    """
    shares = (frames["right"] - frames["left"]) * (frames["bottom"] - frames["top"])
    pixels = (frames["width"] * frames["height"] * shares).to_numpy(float)
    sharpness = frames["sharpness"].to_numpy(float)
    score: np.ndarray = (
        weights["resolution"] * np.log2(np.maximum(pixels, 1))
        + weights["sharpness"] * np.log2(1 + sharpness)
        + weights["confidence"] * frames["confidence"].to_numpy(float)
    )
    return np.round(score / SCORE_STEP) * SCORE_STEP


def hashes_alone(newcomer: int, asked: int, before: int, known: int) -> bool:
    """Take every two frames with near hashes for copies."""
    return True


def object_check(frames: pd.DataFrame, asked: Hashes, known: Hashes, sources: Mapping[str, VideoFiles]) -> Check:
    """Return a check that two frames with near hashes also show the same objects."""
    videos, names = frames["video"].tolist(), frames["frame"].tolist()
    read = lru_cache(VIDEOS_AT_HAND)(lambda video: read_appearances(sources[video]))

    @lru_cache(VIEWS_AT_HAND)
    def view(frame: int, role: int) -> View:
        return view_of(read(videos[frame])[names[frame]], ROLES[role])

    def check(newcomer: int, mine: int, before: int, other: int) -> bool:
        return same_objects(view(newcomer, int(asked.roles[mine])), view(before, int(known.roles[other])))

    return check


def describe(frames: pd.DataFrame, asked: Hashes, stars: Groups) -> pd.DataFrame:
    """Add to each frame its group, representative, distance, and the hash that tells."""
    key = frames["video"] + "/" + frames["frame"]
    representative = key.to_numpy()[stars.star]
    roles = [ROLES[asked.roles[at]] if at >= 0 else "" for at in stars.asked.tolist()]
    names = key.tolist()
    near_misses = [[names[other] for other in stars.near_misses.get(i, {}).values()] for i in range(len(names))]
    return frames.assign(
        group=representative,
        representative=representative,
        keep=representative == key.to_numpy(),
        distance_bits=stars.distance_bits,
        role=roles,
        near_misses=pd.Series(near_misses, frames.index, object),
    )


def kept_slice(frames: pd.DataFrame) -> dict[str, Any]:
    """Return one video's kept frames, and a digest that changes if and only if they or their pictures do."""
    measured = frames[["frame", *MEASURED]].to_dict("split")
    digest = hashlib.sha256(json.dumps(measured["data"], default=str).encode()).hexdigest()
    return {"frames": frames["frame"].tolist(), "digest": digest[:16]}


if __name__ == "__main__":
    start_job(snakemake.log[0])
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(".snakemake/numba").absolute()))
    check_outage(map(Path, snakemake.input.records), snakemake.config["download"]["max_failed_share"])
    deduplicate(
        sources={
            video: VideoFiles(Path(filtered) / FILTER_TABLE, Path(hashes), Path(vectors) if vectors else None)
            for video, filtered, hashes, vectors in zip_longest(
                snakemake.params.videos, snakemake.input.filtered, snakemake.input.hashes, snakemake.input.vectors
            )
        },
        rules=Rules(**snakemake.params.rules),
        copies=Path(snakemake.output.copies),
        kept=Path(snakemake.output.kept),
        distances=Path(snakemake.output.distances),
    )
