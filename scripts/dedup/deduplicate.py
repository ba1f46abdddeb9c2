"""Find copies of frames within and across videos, and keep the best frame of each group."""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scripts.core.files import write_json
from scripts.core.layout import FILTER_TABLE
from scripts.core.row_types import KeptFrames
from scripts.core.schemas import COPIES
from scripts.core.tables import write_table
from scripts.dedup.distances import Search, measure_distances
from scripts.dedup.features import (
    MEASUREMENTS,
    Frames,
    Hashes,
    VideoFiles,
    load_passed,
    load_vectors,
    read_appearances,
)
from scripts.dedup.grouping import Check, Groups, Space, group_frames
from scripts.dedup.hash_space import HashSpace
from scripts.dedup.hashing import KNOWN, MIRRORED, QUERY, ROLES, same_views
from scripts.dedup.same_objects import View, same_objects, view_of
from scripts.dedup.vector_space import VectorSpace
from scripts.download.retries import check_outage
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


def deduplicate(sources: Mapping[str, VideoFiles], rules: Rules, copies: Path, kept: Path, distances: Path) -> None:
    """Write copies.parquet, kept.json (KeptFrames by video) and distances.json."""
    frames, hashes = load_passed(sources)
    count = len(frames["frame"])
    frames["hash"] = first_hashes(hashes, count)
    features, space = choose_space(sources, frames, hashes, rules)
    frames["score"] = scores(frames, rules.weights) if rules.prefer == "best" else np.zeros(count)
    order = visiting_order(frames)
    visited = rows_at(frames, order)
    query, known = features.select(query_roles(rules), order), features.select(KNOWN, order)
    check = object_check(visited, query, known, sources) if rules.compare_objects else accept_all
    numbers = {video: number for number, video in enumerate(sources)}
    groups = group_frames(query, known, np.array([numbers[v] for v in visited["video"]], int), space, check)
    search = Search(query, known, space, rules.max_distance_bits, check)
    write_json(distances, measure_distances((visited["video"] + "/" + visited["frame"]).tolist(), search, groups))
    grouped = with_groups(visited, query, groups)
    grouped = rows_at(grouped, np.lexsort((grouped["frame"], grouped["video"])))
    columns = [grouped[name].tolist() for name in COPIES.names]
    write_table(copies, (dict(zip(COPIES.names, row, strict=True)) for row in zip(*columns, strict=True)), COPIES)
    kept_rows = rows_at(grouped, np.flatnonzero(grouped["keep"]))
    at = {video: list(of_video) for video, of_video in groupby(range(len(kept_rows["video"])), kept_rows["video"].item)}
    write_json(kept, {video: kept_frames(rows_at(kept_rows, np.array(at.get(video, []), int))) for video in sources})
    log_counts(grouped)


def rows_at(frames: Frames, numbers: np.ndarray) -> Frames:
    """Return the frames with these numbers, in this order."""
    return {name: column[numbers] for name, column in frames.items()}


def query_roles(rules: Rules) -> frozenset[str]:
    """Return the roles of the hashes that are compared with those of kept frames."""
    return QUERY | MIRRORED if rules.match_mirrored else QUERY


def choose_space(
    sources: Mapping[str, VideoFiles], frames: Frames, hashes: Hashes, rules: Rules
) -> tuple[Hashes, Space]:
    """Return the features to compare and their distance: vectors if the sources have them, else hashes."""
    files = {video: source.vectors for video, source in sources.items() if source.vectors}
    if not files:
        return hashes, HashSpace(rules.max_distance_bits)
    n_frames = Counter(frames["video"].tolist())
    counts = {video: n_frames[video] for video in sources}
    return load_vectors(files, counts, KNOWN | query_roles(rules)), VectorSpace(rules.max_distance_bits)


def first_hashes(hashes: Hashes, count: int) -> np.ndarray:
    """Return the first hash of each frame, by which the audit compares images."""
    first = np.searchsorted(hashes.owners, np.arange(count))
    return np.array([f"{code:016x}" for code in hashes.codes[first].tolist()], object)


def visiting_order(frames: Frames) -> np.ndarray:
    """Return row numbers, the best frame first: it represents its group. Equal scores stay in order of table and time.

    Backgrounds come last: a larger frame of an empty road must not represent one with a small car.
    """
    return np.lexsort((-frames["score"], frames["background"]))


def scores(frames: Frames, weights: Mapping[str, float]) -> np.ndarray:
    """Score each frame by its own measurements alone, so that no other frame changes its score.

    Scores are rounded to steps: a slightly better copy must not replace a frame that was labelled before.
    """
    shares = (frames["right"] - frames["left"]) * (frames["bottom"] - frames["top"])
    pixels = frames["width"] * frames["height"] * shares
    sharpness = frames["sharpness"].astype(float)
    score: np.ndarray = (
        weights["resolution"] * np.log2(np.maximum(pixels, 1))
        + weights["sharpness"] * np.log2(1 + sharpness)
        + weights["confidence"] * frames["confidence"]
    )
    return np.round(score / SCORE_STEP) * SCORE_STEP


def accept_all(later: int, query_at: int, earlier: int, known_at: int) -> bool:
    """Accept every two frames with near hashes as copies."""
    return True


def object_check(frames: Frames, query: Hashes, known: Hashes, sources: Mapping[str, VideoFiles]) -> Check:
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


def with_groups(frames: Frames, query: Hashes, groups: Groups) -> Frames:
    """Add to each frame its group, its representative, the distance to it, and the role of the hash that matched."""
    key = frames["video"] + "/" + frames["frame"]
    near_misses = np.empty(len(key), object)
    for i in range(len(key)):
        near_misses[i] = [key[other] for other in groups.near_misses.get(i, {}).values()]
    return frames | {
        "group": key[groups.representative],
        "representative": key[groups.representative],
        "keep": groups.representative == np.arange(len(key)),
        "distance_bits": groups.distance_bits,
        "role": np.array([ROLES[query.roles[at]] if at >= 0 else "" for at in groups.matched.tolist()], object),
        "near_misses": near_misses,
    }


def kept_frames(frames: Frames) -> KeptFrames:
    """Return the kept frames of one video and their digest."""
    measured = list(zip(*(frames[name].tolist() for name in ("frame", *MEASUREMENTS)), strict=True))
    digest = hashlib.sha256(json.dumps(measured).encode()).hexdigest()
    return {"frames": frames["frame"].tolist(), "digest": digest[:16]}


def log_counts(frames: Frames) -> None:
    """Log how many frames are kept, and of which videos the others are copies."""
    dropped = rows_at(frames, np.flatnonzero(~frames["keep"]))
    pairs = zip(dropped["representative"], dropped["video"], strict=True)
    within = sum(name.rsplit("/", 1)[0] == video for name, video in pairs)
    others = len(dropped["frame"]) - within
    logging.info("%d of %d frames kept", int(frames["keep"].sum()), len(frames["keep"]))
    logging.info("dropped: %d copies of a frame of the same video, %d of another video", within, others)


def files_by_video(
    videos: Iterable[str], filtered: Iterable[str], hashes: Iterable[str], vectors: Iterable[str]
) -> dict[str, VideoFiles]:
    """Return the files of each video; all lists are in the order of the videos, `vectors` may be empty."""
    return {
        video: VideoFiles(Path(folder) / FILTER_TABLE, Path(hashed), Path(vector) if vector else None)
        for video, folder, hashed, vector in zip_longest(videos, filtered, hashes, vectors)
    }


def keep_machine_code(folder: Path) -> None:
    """Store compiled machine code in a folder, unless the user chose another; call it before numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder.absolute()))


if __name__ == "__main__":
    start_job(snakemake.log[0])
    check_outage(map(Path, snakemake.input.records), snakemake.config["download"]["max_failed_share"])
    keep_machine_code(Path(".snakemake/numba"))
    given, out = snakemake.input, snakemake.output
    deduplicate(
        files_by_video(snakemake.params.videos, given.filtered, given.hashes, given.vectors),
        Rules(**snakemake.params.rules),
        *(Path(file) for file in (out.copies, out.kept, out.distances)),
    )
