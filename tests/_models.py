"""Compile models as a job does, in a process of its own: see tests/_infer.py."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPO

JOB = """
import sys
from pathlib import Path
from scripts.detection.compile_model import compile_model
weights, imgsz_px, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
compile_model(weights, [""], "auto", imgsz_px, out, out.parent / "store", out.parent / "work")
"""


def compiled(weights: Path, imgsz_px: int, out: Path) -> Path:
    """Return the folder of a model that compile_model has made."""
    command = [sys.executable, "-c", JOB, str(weights), str(imgsz_px), str(out)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    return out
