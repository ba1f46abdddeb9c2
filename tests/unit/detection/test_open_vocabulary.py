"""Models that find what words name can be used once the words are in their weights, as docs/models.md says."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPO

# Untrained weights: published ones, and the encoder that turns words into numbers, want the network.
JOB = """
import json, sys
from pathlib import Path
from scripts.model.engine import import_ultralytics
folder = Path(sys.argv[1])
ultralytics = import_ultralytics(folder / "work", offline=True)
import torch
from scripts.core.errors import UserError
from scripts.detection.compile_model import compile_model
words = ["traffic cone", "road sign"]
numbers = torch.nn.functional.normalize(torch.randn(1, 2, 512), dim=-1)
world = ultralytics.YOLOWorld("yolov8n-worldv2.yaml")
world.model.txt_feats, world.model.model[-1].nc, world.model.names = numbers, 2, words  # as its set_classes does
world.save(folder / "world.pt")
for kind in ("yoloe-11n", "yoloe-11n-seg"):
    model = ultralytics.YOLOE(f"{kind}.yaml")
    model.set_classes(words, numbers)
    model.save(folder / f"{kind}.pt")
said = {}
for kind in ("world", "yoloe-11n", "yoloe-11n-seg"):
    weights, out = str(folder / f"{kind}.pt"), folder / kind
    try:
        said[kind] = compile_model(weights, [], "native", 64, out, folder / "store", folder / "work")
    except UserError as error:
        said[kind] = str(error)
print("SAID", json.dumps(said))
"""


def test_words_in_the_weights_are_classes_and_models_of_masks_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-c", JOB, str(tmp_path)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.split("SAID ")[1])
    assert said["world"] == said["yoloe-11n"] == ["traffic cone", "road sign"]
    assert said["yoloe-11n-seg"].endswith("is a model for 'segment'; allowed: a detection model")
