"""Videos and hashes of which tests know what the audit must find."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.core.files import write_json
from scripts.core.schemas import DETECTIONS, FILTER
from scripts.core.tables import write_table
from scripts.dataset.export_dataset import export_dataset
from scripts.dataset.splits import Splitting
from scripts.dedup.deduplicate import deduplicate
from scripts.dedup.features import VideoFiles
from scripts.report.report import Sources, report
from tests._exported import CLIP, RECORD
from tests._gathered import gather, gather_frames
from tests._hashed import rules, write_hashes

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
LIMIT = 8
SEEN: dict[str, Any] = {"boxes_xyxy_px": [[1.0, 2.0, 30.0, 20.0]], "classes": ["dog"], "confidences": [0.9]}
# what the report reads of the configuration
CONFIGURED: dict[str, Any] = {
    "frames": {"min_sharpness": 0, "min_brightness": 0, "max_brightness": 255, "min_entropy_bits": 1.0},
    "filter": {"confidence": 0.35, "max_objects": 300},
    "detect": {"confidence": 0.25, "max_objects": 300},
}
Rows = dict[str, dict[str, Any]]
Folders = dict[str, dict[str, Path]]


def row_of(video: str, split: str = "", channel: str = "") -> dict[str, Any]:
    """Return a row of the video table as the export gets it."""
    return CLIP | {"url": f"https://example.org/{video}", "split": split, "extra": {"channel": channel}}


def far_hashes(count: int, seed: int) -> list[int]:
    """Return random hashes, which are tens of bits apart."""
    return list(map(int, np.random.default_rng(seed).integers(0, 2**63, count)))


def reported(folder: Path, videos: Rows, hashes: Mapping[str, Sequence[int]], splitting: Splitting) -> Path:
    """Make a dataset as `planted` does, with its registry and page."""
    out = planted(folder, videos, hashes, splitting)
    folders = folders_of(folder, videos)
    filtered = {video: paths["filtered"] for video, paths in folders.items()}
    sources = Sources(
        gather(folder, folders), filtered, folder / "copies.parquet", folder / "distances.json", out, CONFIGURED,
        made_with(folder),
    )  # fmt: skip
    report(videos, sources, folder / "report.html", folder / "registry.tsv")
    return out


def made_with(folder: Path) -> Path:
    """Write down settings and code as record_provenance does."""
    told = {"settings": CONFIGURED, "workflow": {"name": "reelsieve", "commit": "0123abc", "code": {"report": "89ef"}}}
    (folder / "provenance.json").write_text(json.dumps(told))
    return folder / "provenance.json"


def folders_of(folder: Path, videos: Rows) -> Folders:
    """Return where the outputs of each video are laid out."""
    return {v: {name: folder / name / v for name in ("record", "filtered", "detections", "hashes")} for v in videos}


def planted(folder: Path, videos: Rows, hashes: Mapping[str, Sequence[int]], splitting: Splitting) -> Path:
    """Lay out what the stages before hand on, one frame per hash, and make a dataset of it."""
    folders = folders_of(folder, videos)
    for video, row in videos.items():
        paths = folders[video]
        paths["filtered"].mkdir(parents=True, exist_ok=True)
        write_json(paths["record"], RECORD | {"url": row["url"]})
        frames: list[dict[str, Any]] = [
            {"video": video, "frame": f"{i:09d}.jpg", "width": 64, "height": 36} for i in range(len(hashes[video]))
        ]
        for frame in frames:
            Image.new("RGB", (64, 36), "teal").save(paths["filtered"] / frame["frame"])
        measured: dict[str, Any] = {
            "sharpness": 1,
            "brightness": 1,
            "entropy_bits": 1,
            "keep": True,
            "passed": True,
            "reason": "",
        }
        measured["background"] = False
        hashed = [{"pts_s": float(i), "phash": f"{value:016x}"} for i, value in enumerate(hashes[video])]
        rows = [frame | SEEN | measured | more for frame, more in zip(frames, hashed, strict=True)]
        write_table(paths["filtered"] / "filter.parquet", rows, FILTER)
        hashed_frames = {f["frame"]: [("content", h)] for f, h in zip(frames, hashes[video], strict=True)}
        write_hashes(paths["hashes"], hashed_frames)
    copies, out = folder / "copies.parquet", folder / "dataset"
    sources = {v: VideoFiles(f["filtered"] / "filter.parquet", f["hashes"]) for v, f in folders.items()}
    distances = folder / "distances.json"
    deduplicate(
        sources, [gather_frames(folder / "frames", sources)], rules(LIMIT), copies, folder / "kept.json", distances
    )
    for video, kept in json.loads((folder / "kept.json").read_text()).items():
        found = [SEEN | {"video": video, "frame": frame, "width": 64, "height": 36} for frame in kept["frames"]]
        write_table(folders[video]["detections"], found, DETECTIONS)
    chosen = {"splits": splitting.shares, "seed": splitting.seed, "split_by": splitting.by}
    card = {"names": ["dog", "cat"], "weights": "model.pt", "weights_sha256": "0" * 64}
    export_dataset(
        videos,
        gather(folder, folders),
        {video: paths["filtered"] for video, paths in folders.items()},
        copies,
        out,
        models={"filter": card, "detect": card},
        settings={
            "dedup": {"max_distance_bits": LIMIT},
            "detect": {"classes": []},
            "dataset": chosen | {"negatives_share": 0, "formats": ["yolo", "coco"]},
        },
    )
    return out


def read(dataset: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((dataset / "audit.json").read_text())
    return found
