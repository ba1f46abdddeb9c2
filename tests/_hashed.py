"""Hashes of the tests' choice where hash_frames would have written those of pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.core.row_types import HashRow
from scripts.core.schemas import FILTER, HASHES
from scripts.core.tables import write_table
from scripts.dedup.deduplicate import Rules
from scripts.dedup.hashing import THUMB_PX
from scripts.dedup.vector_space import in_steps

WEIGHTS = {"resolution": 1.0, "sharpness": 0.0, "confidence": 0.0}


def rules(max_distance_bits: int, **changes: Any) -> Rules:
    """Return rules by which hashes alone decide."""
    chosen: dict[str, Any] = {
        "compare_objects": False, "match_mirrored": False, "prefer": "best", "weights": WEIGHTS,
    }  # fmt: skip
    return Rules(max_distance_bits=max_distance_bits, **(chosen | changes))


def write_hashes(folder: Path, hashes: Mapping[str, Sequence[tuple[str, int]]]) -> Path:
    """Write the hashes, by role, of each frame of a video."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[HashRow] = [
        {
            "frame": frame, "roles": [role for role, _ in own], "hashes": [f"{value:016x}" for _, value in own],
            "left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0,
        }
        for frame, own in hashes.items()
    ]  # fmt: skip
    write_table(folder / "hashes.parquet", rows, HASHES)
    np.save(folder / "thumbs.npy", np.zeros((len(rows), THUMB_PX, THUMB_PX, 3), np.uint8))
    return folder


def lay_out_filtered(folder: Path, count: int = 3) -> Path:
    """Write the filter's folder of a video of which every second frame passed."""
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        small = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
        picture = Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC)
        for passed in (True, False):
            name = f"{number:04d}{int(passed):05d}.jpg"
            if passed:
                picture.save(folder / name)
            rows.append(
                {
                    "video": "v", "frame": name, "width": 320, "height": 240, "sharpness": 1, "brightness": 1,
                    "entropy_bits": 1, "phash": "0" * 16, "keep": True, "passed": passed, "background": False,
                    "boxes_xyxy_px": [[32, 24, 64, 48]], "classes": ["dog"], "confidences": [0.75],
                }
            )  # fmt: skip
    write_table(folder / "filter.parquet", rows, FILTER)
    return folder


def cone(seed: int, count: int, spread: float, size: int = 24) -> np.ndarray:
    """Return vectors around a common one, as those of a network are."""
    rng = np.random.default_rng(seed)
    return in_steps(rng.standard_normal(size) + spread * rng.standard_normal((count, size)))


def near_pairs(query: np.ndarray, known: np.ndarray, limit: int) -> list[tuple[int, int, int]]:
    """Compare all hashes with all; return positions and distance of each pair within the limit."""
    bits = np.bitwise_count(query[:, None] ^ known[None, :])
    return [(int(i), int(k), int(bits[i, k])) for i, k in zip(*np.nonzero(bits <= limit), strict=True)]
