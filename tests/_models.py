"""Compile models as a job does, in a process of its own: see tests/_infer.py."""

from pathlib import Path

from tests._forked import TORCH, run_loaded

JOB = """
import sys
from pathlib import Path
from scripts.detection.compile_model import compile_model
weights, imgsz_px, form, out = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
compile_model(weights, [""], form, imgsz_px, out, out.parent / "store", out.parent / "work")
"""


def compiled(weights: Path, imgsz_px: int, out: Path, form: str = "auto") -> Path:
    """Return the folder of a model that compile_model has made, with a store beside it."""
    run_loaded(TORCH, JOB, weights, imgsz_px, form, out)
    return out
