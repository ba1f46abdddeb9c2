"""Hashes of the tests' choice where hash_frames would have written those of pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.core.schemas import HASHES
from scripts.core.tables import write_table
from scripts.dedup.deduplicate import Rules
from scripts.dedup.hashing import THUMB_PX

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
    rows: list[dict[str, Any]] = [
        {"frame": frame, "roles": [role for role, _ in mine], "hashes": [f"{value:016x}" for _, value in mine]}
        | {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
        for frame, mine in hashes.items()
    ]
    write_table(folder / "hashes.parquet", rows, HASHES)
    np.save(folder / "thumbs.npy", np.zeros((len(rows), THUMB_PX, THUMB_PX), np.uint8))
    return folder
