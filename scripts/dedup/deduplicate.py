"""Find copies of frames within and across videos, and keep the best frame of each group."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scripts.core.files import write_json
from scripts.core.layout import RESULTS, filter_table, hashes_table
from scripts.core.row_types import KeptFrames
from scripts.core.schemas import COPIES
from scripts.core.tables import write_table
from scripts.dedup.distances import Search, measure_distances
from scripts.dedup.features import MEASUREMENTS, Hashes, VideoFiles, load_passed, load_vectors, read_appearances
from scripts.dedup.grouping import Check, Groups, Space, group_frames
from scripts.dedup.hash_space import HashSpace
from scripts.dedup.hashing import KNOWN, MIRRORED, QUERY, ROLES, same_views
from scripts.dedup.same_objects import View, same_objects, view_of
from scripts.dedup.vector_space import VectorSpace
from scripts.download.retries import check_outage
from scripts.inputs.gathered import read_gathered
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


SCORE_STEP = 0.25  # at the default weights, a crop of a tenth on both sides lowers the score by more
VIDEOS_CACHED, VIEWS_CACHED = 256, 4096  # boxes and thumbnails that stay in memory


@dataclass(frozen=True)
class Rules:
    """Which frames are copies of each other, and which of them is kept (config section `dedup`)."""

    max_distance_bits: int
    compare_objects: bool
    match_mirrored: bool
    prefer: str
    weights: Mapping[str, float]


def deduplicate(
    sources: Mapping[str, VideoFiles], shards: Iterable[Path], rules: Rules, copies: Path, kept: Path, distances: Path
) -> None:
    """Write copies.parquet, kept.json (KeptFrames by video) and distances.json.

    `sources` holds the files of each video in the order of the table, `shards` the folders with what was gathered.
    """
    frames, hashes = load_passed(shards, list(sources))
    frames["hash"] = first_hashes(hashes, len(frames))
    features, space = choose_space(sources, frames, hashes, rules)
    frames["score"] = scores(frames, rules.weights) if rules.prefer == "best" else 0.0
    order = visiting_order(frames)
    visited = frames.iloc[order].reset_index(drop=True)
    query, known = features.select(query_roles(rules), order), features.select(KNOWN, order)
    check = object_check(visited, query, known, sources) if rules.compare_objects else accept_all
    numbers = {video: number for number, video in enumerate(sources)}
    groups = group_frames(query, known, visited["video"].map(numbers).to_numpy(int), space, check)
    search = Search(query, known, space, rules.max_distance_bits, check)
    write_json(distances, measure_distances((visited["video"] + "/" + visited["frame"]).tolist(), search, groups))
    frames = with_groups(visited, query, groups).sort_values(["video", "frame"])
    write_table(copies, frames[COPIES.names].to_dict("records"), COPIES)
    by_video = dict(list(frames[frames["keep"]].groupby("video", sort=False)))
    write_json(kept, {video: kept_frames(by_video.get(video, frames.iloc[:0])) for video in sources})
    dropped = frames[~frames["keep"].astype(bool)]
    within = int((dropped["representative"].str.rsplit("/", n=1).str[0] == dropped["video"]).sum())
    logging.info("%d of %d frames kept", len(frames) - len(dropped), len(frames))
    logging.info("dropped: %d copies of a frame of the same video, %d of another video", within, len(dropped) - within)


def query_roles(rules: Rules) -> frozenset[str]:
    """Return the roles of the hashes that are compared with those of kept frames."""
    return QUERY | MIRRORED if rules.match_mirrored else QUERY


def choose_space(
    sources: Mapping[str, VideoFiles], frames: pd.DataFrame, hashes: Hashes, rules: Rules
) -> tuple[Hashes, Space]:
    """Return the features to compare and their distance: vectors if the sources have them, else hashes."""
    files = {video: source.vectors for video, source in sources.items() if source.vectors}
    if not files:
        return hashes, HashSpace(rules.max_distance_bits)
    n_frames = frames["video"].value_counts(sort=False)
    counts = {video: int(n_frames.get(video, 0)) for video in sources}
    return load_vectors(files, counts, KNOWN | query_roles(rules)), VectorSpace(rules.max_distance_bits)


def first_hashes(hashes: Hashes, count: int) -> list[str]:
    """Return the first hash of each frame, by which the audit compares images."""
    first = np.searchsorted(hashes.owners, np.arange(count))
    return [f"{code:016x}" for code in hashes.codes[first].tolist()]


def visiting_order(frames: pd.DataFrame) -> np.ndarray:
    """Return row numbers, the best frame first: it represents its group. Equal scores stay in order of table and time.

    Backgrounds come last: a larger frame of an empty road must not represent one with a small car.
    """
    return np.lexsort((-frames["score"].to_numpy(float), frames["background"].to_numpy(bool)))


def scores(frames: pd.DataFrame, weights: Mapping[str, float]) -> np.ndarray:
    """Score each frame by its own measurements alone, so that no other frame changes its score.

    Scores are rounded to steps: a slightly better copy must not replace a frame that was labelled before.
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


def accept_all(later: int, query_at: int, earlier: int, known_at: int) -> bool:
    """Accept every two frames with near hashes as copies."""
    return True


def object_check(frames: pd.DataFrame, query: Hashes, known: Hashes, sources: Mapping[str, VideoFiles]) -> Check:
    """Return a check whether two frames with near hashes also show the same objects."""
    videos, names = frames["video"].tolist(), frames["frame"].tolist()
    views = same_views(ROLES)
    read = lru_cache(VIDEOS_CACHED)(lambda video: read_appearances(sources[video]))

    @lru_cache(VIEWS_CACHED)
    def view(frame: int, role: int) -> View:
        return view_of(read(videos[frame])[names[frame]], ROLES[role])

    @lru_cache(VIEWS_CACHED)
    def same(later: int, role: int, earlier: int, other: int) -> bool:
        return same_objects(view(later, role), view(earlier, other))

    def check(later: int, query_at: int, earlier: int, known_at: int) -> bool:
        return same(later, views[query.roles[query_at]], earlier, views[known.roles[known_at]])

    return check


def with_groups(frames: pd.DataFrame, query: Hashes, groups: Groups) -> pd.DataFrame:
    """Add to each frame its group, its representative, the distance to it, and the role of the hash that matched."""
    key = frames["video"] + "/" + frames["frame"]
    representative = key.to_numpy()[groups.representative]
    roles = [ROLES[query.roles[at]] if at >= 0 else "" for at in groups.matched.tolist()]
    names = key.tolist()
    near_misses = [[names[other] for other in groups.near_misses.get(i, {}).values()] for i in range(len(names))]
    return frames.assign(
        group=representative,
        representative=representative,
        keep=representative == key.to_numpy(),
        distance_bits=groups.distance_bits,
        role=roles,
        near_misses=pd.Series(near_misses, frames.index, object),
    )


def kept_frames(frames: pd.DataFrame) -> KeptFrames:
    """Return the kept frames of one video and their digest."""
    measured = frames[["frame", *MEASUREMENTS]].to_dict("split")
    digest = hashlib.sha256(json.dumps(measured["data"], default=str).encode()).hexdigest()
    return {"frames": frames["frame"].tolist(), "digest": digest[:16]}


def files_by_video(results: Path, videos: Iterable[str], vectors: str) -> dict[str, VideoFiles]:
    """Return the files of each video. `vectors` is the pattern of those of its vectors, or empty if there are none."""
    return {
        video: VideoFiles(
            filter_table(results, video),
            hashes_table(results, video).parent,
            Path(vectors.format(video=video)) if vectors else None,
        )
        for video in videos
    }


def keep_machine_code(folder: Path) -> None:
    """Store compiled machine code in a folder, unless the user chose another; call it before numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder.absolute()))


if __name__ == "__main__":
    start_job(snakemake.log[0])
    shards, params = list(map(Path, snakemake.input.shards)), snakemake.params
    records = (video["record"] for video in read_gathered(shards).values())
    check_outage(records, snakemake.config["download"]["max_failed_share"])
    keep_machine_code(Path(".snakemake/numba"))
    sources = files_by_video(RESULTS, params.videos, params.vectors)
    out = [Path(snakemake.output[name]) for name in ("copies", "kept", "distances")]
    deduplicate(sources, shards, Rules(**params.rules), *out)
