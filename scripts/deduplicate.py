"""Find frames that show the same, within and across videos, and keep the best of each group."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from scripts._failures import check_outage
from scripts._files import write_json
from scripts._hashing import ASKED, KNOWN, MIRRORED
from scripts._log import log_to
from scripts._sameness import Look, View, same_objects, view_of
from scripts._stars import Check, Hashes, Stars, find_stars
from scripts._tables import MANIFEST, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

MEASURED = ["width", "height", "sharpness", "brightness", "entropy_bits", "phash"]
HASHED = ["frame", "roles", "hashes", "left", "top", "right", "bottom"]
EDGES = ["left", "top", "right", "bottom"]
VIDEOS_AT_HAND, VIEWS_AT_HAND = 256, 4096  # whose boxes and thumbnails stay in memory


@dataclass(frozen=True)
class Rules:
    """What makes frames copies of each other, and which of them is kept (config key `dedup`)."""

    max_distance_bits: int
    compare_objects: bool
    match_mirrored: bool
    prefer: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Source:
    """A video's filter.parquet and its folder of hashes."""

    filtered: Path
    hashes: Path


def deduplicate(sources: Mapping[str, Source], rules: Rules, manifest: Path, kept: Path) -> None:
    """Write the manifest (a row per passed frame) and, per video, its kept frames and their digest."""
    frames = load_passed(sources)
    frames["score"] = scores(frames, rules.weights) if rules.prefer == "best" else 0.0
    order = np.argsort(-frames["score"].to_numpy(float), kind="stable")
    visited = frames.iloc[order].reset_index(drop=True)
    asked, known = hashes_of(visited, asked_roles(rules)), hashes_of(visited, KNOWN)
    check = object_check(visited, asked, known, sources) if rules.compare_objects else hashes_alone
    sources_of = visited["video"].map({video: number for number, video in enumerate(sources)}).to_numpy(int)
    stars = find_stars(asked, known, sources_of, rules.max_distance_bits, check)
    visited = describe(visited, asked, stars)
    inverse = np.empty(len(order), int)
    inverse[order] = np.arange(len(order))
    frames = visited.iloc[inverse]
    write_table(manifest, frames[MANIFEST.names].to_dict("records"), MANIFEST)
    by_video = dict(list(frames[frames["keep"]].groupby("video", sort=False)))
    write_json(kept, {video: kept_slice(by_video.get(video, frames.iloc[:0])) for video in sources})
    dropped = frames[~frames["keep"]]
    within = int((dropped["representative"].str.rsplit("/", n=1).str[0] == dropped["video"]).sum())
    logging.info(
        "%d of %d frames kept; %d were copies within their video, %d of another one",
        len(frames) - len(dropped), len(frames), within, len(dropped) - within,
    )  # fmt: skip


def load_passed(sources: Mapping[str, Source]) -> pd.DataFrame:
    """Return the passed frames of all videos in table order, then by time, with their hashes."""
    parts = [_load(source).assign(video=video) for video, source in sources.items()]
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=["video", *HASHED, *MEASURED, "confidence"])
    return pd.concat(filled, ignore_index=True)


def _load(source: Source) -> pd.DataFrame:
    columns = ["frame", *MEASURED, "passed", "confidences"]
    table: pd.DataFrame = pq.read_table(source.filtered, columns=columns).to_pandas()
    passed: pd.DataFrame = table[table["passed"].astype(bool)].drop(columns="passed").reset_index(drop=True)
    hashes = pq.read_table(source.hashes / "hashes.parquet", columns=HASHED).to_pandas()
    if passed["frame"].tolist() != hashes["frame"].tolist():
        raise ValueError(f"{source.hashes} is not of the frames in {source.filtered}")
    confidence = [float(np.mean(seen)) if len(seen) else 0.0 for seen in passed.pop("confidences")]
    whole: pd.DataFrame = passed.join(hashes.drop(columns="frame")).assign(confidence=confidence)
    return whole


def scores(frames: pd.DataFrame, weights: Mapping[str, float]) -> np.ndarray:
    """Return how much each frame is worth keeping: by itself alone, so that no other frame changes it."""
    shares = (frames["right"] - frames["left"]) * (frames["bottom"] - frames["top"])
    pixels = (frames["width"] * frames["height"] * shares).to_numpy(float)
    sharpness = frames["sharpness"].to_numpy(float)
    score: np.ndarray = (
        weights["resolution"] * np.log2(np.maximum(pixels, 1))
        + weights["sharpness"] * np.log2(1 + sharpness)
        + weights["confidence"] * frames["confidence"].to_numpy(float)
    )
    return np.round(score, 6)


def asked_roles(rules: Rules) -> frozenset[str]:
    """Return the roles of hashes by which a frame is looked up among the kept ones."""
    return ASKED | MIRRORED if rules.match_mirrored else ASKED


def hashes_of(frames: pd.DataFrame, roles: frozenset[str]) -> Hashes:
    """Return the frames' hashes of these roles."""
    named = list(zip(frames["roles"], frames["hashes"], strict=True))
    kept = [[i for i, role in enumerate(mine) if role in roles] for mine, _ in named]
    codes = [int(values[i], 16) for (_, values), chosen in zip(named, kept, strict=True) for i in chosen]
    owners = np.repeat(np.arange(len(frames)), [len(chosen) for chosen in kept])
    chosen_roles = [mine[i] for (mine, _), chosen in zip(named, kept, strict=True) for i in chosen]
    return Hashes(np.array(codes, np.uint64), owners, np.array(chosen_roles, object))


def hashes_alone(newcomer: int, asked: int, before: int, known: int) -> bool:
    """Take every two frames with near hashes for copies."""
    return True


def object_check(frames: pd.DataFrame, asked: Hashes, known: Hashes, sources: Mapping[str, Source]) -> Check:
    """Return a check that two frames with near hashes also show the same objects."""
    videos, names = frames["video"].tolist(), frames["frame"].tolist()
    contents = frames[EDGES].to_numpy(float)
    read = lru_cache(VIDEOS_AT_HAND)(lambda video: read_looks(sources[video]))

    @lru_cache(VIEWS_AT_HAND)
    def view(frame: int, role: str) -> View:
        thumb, boxes, confidences = read(videos[frame])[names[frame]]
        left, top, right, bottom = contents[frame].tolist()
        return view_of(Look(thumb, (left, top, right, bottom), boxes, confidences), role)

    def check(newcomer: int, mine: int, before: int, other: int) -> bool:
        return same_objects(view(newcomer, asked.roles[mine]), view(before, known.roles[other]))

    return check


def read_looks(source: Source) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return thumbnail, boxes (shares of the picture) and confidences of each passed frame of a video."""
    columns = ["frame", "width", "height", "boxes_xyxy_px", "confidences", "passed"]
    rows = [row for row in pq.read_table(source.filtered, columns=columns).to_pylist() if row["passed"]]
    thumbs = np.load(source.hashes / "thumbs.npy", mmap_mode="r")
    return {
        row["frame"]: (
            thumb,
            np.array(row["boxes_xyxy_px"], float).reshape(-1, 4) / ([row["width"], row["height"]] * 2),
            np.array(row["confidences"], float),
        )
        for row, thumb in zip(rows, thumbs, strict=True)
    }


def describe(frames: pd.DataFrame, asked: Hashes, stars: Stars) -> pd.DataFrame:
    """Add to each frame its group, representative, distance, and the hash that tells."""
    key = frames["video"] + "/" + frames["frame"]
    representative = key.to_numpy()[stars.star] if len(frames) else key.to_numpy()
    roles = [asked.roles[at] if at >= 0 else "" for at in stars.asked.tolist()]
    names, first = key.tolist(), [values[0] for values in frames["hashes"]]
    rivals = [[names[other] for other in stars.rivals.get(i, {}).values()] for i in range(len(names))]
    return frames.assign(
        group=representative,
        representative=representative,
        keep=representative == key.to_numpy(),
        distance_bits=stars.distance_bits,
        role=roles,
        rivals=pd.Series(rivals, frames.index, object),
        hash=first,
    )


def kept_slice(frames: pd.DataFrame) -> dict[str, Any]:
    """Return one video's kept frames, and a digest that changes if and only if they or their pictures do."""
    measured = frames[["frame", *MEASURED]].to_dict("split")
    digest = hashlib.sha256(json.dumps(measured["data"], default=str).encode()).hexdigest()
    return {"frames": frames["frame"].tolist(), "digest": digest[:16]}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(".snakemake/numba").absolute()))
    check_outage(map(Path, snakemake.input.records), snakemake.config["download"]["max_failed_share"])
    deduplicate(
        sources={
            video: Source(Path(filtered) / "filter.parquet", Path(hashes))
            for video, filtered, hashes in zip(
                snakemake.params.videos, snakemake.input.filtered, snakemake.input.hashes, strict=True
            )
        },
        rules=Rules(**snakemake.params.rules),
        manifest=Path(snakemake.output.manifest),
        kept=Path(snakemake.output.kept),
    )
