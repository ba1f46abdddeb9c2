"""Find frames that show the same, within and across videos, and keep the best of each group."""

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scripts._failures import check_outage
from scripts._files import write_json
from scripts._log import log_to
from scripts._tables import MANIFEST, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

COLUMNS = [
    "video", "frame", "pts_s", "width", "height", "sharpness", "brightness", "entropy_bits", "phash", "passed",
    "background",
]  # fmt: skip


def deduplicate(tables: dict[str, Path], manifest: Path, kept: Path, max_distance_bits: int) -> None:
    """Write the manifest (a row per passed frame) and, per video, its kept frames and their digest."""
    frames = load_passed(tables)
    frames["score"] = (frames["width"] * frames["height"]).astype(float)
    frames.loc[frames["background"].astype(bool), "score"] = 0.0  # no background takes the place of what shows objects
    order = visiting_order(frames)
    hashes = np.array([int(h, 16) for h in frames["phash"]], np.uint64)[order]
    stars = pd.DataFrame(dict(zip(("star", "distance_bits"), group_hashes(hashes, max_distance_bits), strict=True)))
    stars.index = pd.Index(order)
    frames = frames.join(stars)
    key = frames["video"] + "/" + frames["frame"]
    frames["representative"] = key.iloc[order[frames["star"].to_numpy(int)]].to_numpy()
    frames["keep"] = frames["representative"] == key
    frames["group"] = frames["representative"]
    write_table(manifest, frames[MANIFEST.names].to_dict("records"), MANIFEST)
    by_video = dict(list(frames[frames["keep"]].groupby("video", sort=False)))
    write_json(kept, {video: kept_slice(by_video.get(video, frames.iloc[:0])) for video in tables})
    logging.info("%d of %d frames kept", int(frames["keep"].sum()), len(frames))


def load_passed(tables: dict[str, Path]) -> pd.DataFrame:
    """Return the passed frames of all videos in table order, then by time."""
    parts = [pd.read_parquet(path, columns=COLUMNS) for path in tables.values()]
    frames = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return frames[frames["passed"].astype(bool)].reset_index(drop=True)


def visiting_order(frames: pd.DataFrame) -> np.ndarray:
    """Return row numbers in the order in which frames claim copies: larger pictures, table order, time."""
    return np.argsort(-frames["score"].to_numpy(float), kind="stable")


def group_hashes(hashes: np.ndarray, max_distance_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each 64-bit hash, the position of the kept hash it falls to and the distance to it.

    Greedy stars, no chains: a hash is kept if no kept one before it is within the distance, else it falls to the
    nearest of them (the first of equals). Kept hashes fall to themselves. All pairs with kept ones are compared.
    """
    star = np.arange(len(hashes))
    distance = np.zeros(len(hashes), np.int16)
    kept = np.empty(len(hashes), np.int64)
    count = 0
    for i, value in enumerate(hashes):
        bits = np.bitwise_count(hashes[kept[:count]] ^ value)
        nearest = int(bits.argmin()) if count else -1
        if count and bits[nearest] <= max_distance_bits:
            star[i], distance[i] = kept[nearest], bits[nearest]
        else:
            kept[count] = i
            count += 1
    return star, distance


def kept_slice(frames: pd.DataFrame) -> dict[str, Any]:
    """Return one video's kept frames, and a digest that changes if and only if they or their pictures do."""
    measured = frames[["frame", "width", "height", "sharpness", "brightness", "entropy_bits", "phash"]].to_dict("split")
    digest = hashlib.sha256(json.dumps(measured["data"], default=str).encode()).hexdigest()
    return {"frames": frames["frame"].tolist(), "digest": digest[:16]}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_outage(map(Path, snakemake.input.records), snakemake.config["download"]["max_failed_share"])
    deduplicate(
        tables={
            video: Path(folder) / "filter.parquet"
            for video, folder in zip(snakemake.params.videos, snakemake.input.filtered, strict=True)
        },
        manifest=Path(snakemake.output.manifest),
        kept=Path(snakemake.output.kept),
        max_distance_bits=snakemake.params.max_distance_bits,
    )
