"""Compile models as a job does, in a process of its own: see tests/_infer.py."""

import subprocess
import sys
from pathlib import Path

from tests._places import REPO

JOB = """
import sys
from pathlib import Path
from scripts.detection.compile_model import compile_model
weights, imgsz_px, form, out = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
compile_model(weights, [""], form, imgsz_px, out, out.parent / "store", out.parent / "work")
"""


def compiled(weights: Path, imgsz_px: int, out: Path, form: str = "auto") -> Path:
    """Return the folder of a model that compile_model has made, with a store beside it."""
    command = [sys.executable, "-c", JOB, str(weights), str(imgsz_px), form, str(out)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    return out
