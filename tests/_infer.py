"""Infer as a job does, in a process of its own: PyAV, PyTorch and OpenVINO in one process crash now and then."""

import json
from dataclasses import asdict
from pathlib import Path

from scripts.model.inference import Detections, Inference
from tests._forked import TORCH, run_loaded

JOB = """
import json, sys
from pathlib import Path
from scripts.detection.detect import detect_images
from scripts.model.inference import Inference, RuntimeOptions
asked = json.loads(sys.argv[1])
query = Inference(**asked["query"])
runtime = RuntimeOptions(asked["threads"], Path(asked["work"]), warm=False)
for seen in detect_images(Path(asked["model"]), [Path(image) for image in asked["images"]], query, runtime):
    print(json.dumps(vars(seen) | {"image": str(seen.image)}))
"""


def detect_alone(model: Path, images: list[Path], query: Inference, work: Path, threads: int = 1) -> list[Detections]:
    """Return what a job sees that loads the model itself."""
    asked = {"model": str(model), "images": list(map(str, images)), "query": asdict(query), "work": str(work)}
    printed = run_loaded(TORCH, JOB, json.dumps(asked | {"threads": threads}))
    seen = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [Detections(**{**one, "image": Path(one["image"])}) for one in seen]
