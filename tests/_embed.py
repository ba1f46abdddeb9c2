"""Embed frames as a job does, in a process of its own: PyAV, PyTorch and OpenVINO in one process crash now and then."""

from pathlib import Path

import numpy as np

from tests._forked import TORCH, run_loaded

JOB = """
import sys
from pathlib import Path
from scripts.dedup.embed_frames import embed_frames
filtered, hashed, model, threads, work, out = sys.argv[1:]
embed_frames(Path(filtered), Path(hashed), Path(model), int(threads), Path(work), Path(out))
"""


def embed_alone(filtered: Path, hashed: Path, model: Path, out: Path, threads: int = 1) -> np.ndarray:
    """Return the vectors that a job writes into `out`."""
    folders = (filtered, hashed, model, threads, model.parent / "ultralytics", out)
    run_loaded(TORCH, JOB, *folders)
    vectors: np.ndarray = np.load(out)
    return vectors
