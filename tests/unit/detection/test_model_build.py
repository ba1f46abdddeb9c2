"""Weights of every kind are read, or refused with the reason; open vocabulary as docs/models.md says."""

import json
from pathlib import Path

from tests._forked import TORCH, run_loaded

# Untrained weights: published ones and the text encoder would need the network.
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
vectors = torch.nn.functional.normalize(torch.randn(1, 2, 512), dim=-1)
world = ultralytics.YOLOWorld("yolov8n-worldv2.yaml")
world.model.txt_feats, world.model.model[-1].nc, world.model.names = vectors, 2, words  # as its set_classes does
world.save(folder / "world.pt")
for kind in ("yoloe-11n", "yoloe-11n-seg"):
    model = ultralytics.YOLOE(f"{kind}.yaml")
    model.save(folder / f"{kind}-empty.pt")
    model.set_classes(words, vectors)
    model.save(folder / f"{kind}.pt")
ultralytics.YOLO("yolov8n-cls.yaml").save(folder / "classify.pt")
twice = ultralytics.YOLO("yolov8n.yaml")
twice.model.names = dict(enumerate(["car", "dog", "car"]))
twice.save(folder / "twice.pt")
answers = {}
(folder / "damaged.pt").write_bytes(b"not weights")
kinds = ("world", "yoloe-11n", "yoloe-11n-seg", "yoloe-11n-seg-empty", "classify", "twice", "damaged")
for kind in kinds:
    weights, out = str(folder / f"{kind}.pt"), folder / kind
    try:
        card = compile_model(weights, [], "native", 64, out, folder / "store", folder / "work")
        answers[kind] = [card["task"], *card["names"]]
    except UserError as error:
        answers[kind] = str(error)
print("ANSWERS", json.dumps(answers))
"""


def test_words_in_the_weights_are_classes_and_models_without_boxes_or_classes_are_refused(tmp_path: Path) -> None:
    answers = json.loads(run_loaded(TORCH, JOB, tmp_path).split("ANSWERS ")[1])
    assert answers["world"] == answers["yoloe-11n"] == ["detect", "traffic cone", "road sign"]
    assert answers["yoloe-11n-seg"] == ["segment", "traffic cone", "road sign"], "as the published ones"
    assert "is an open-vocabulary model without classes: set them first" in answers["yoloe-11n-seg-empty"]
    assert answers["classify"].endswith("is a model for 'classify'; allowed: detect, segment, pose, obb")
    assert "twice.pt has 2 classes called 'car' (numbers 0, 2)" in answers["twice"]
    assert "damaged.pt cannot be loaded as ultralytics weights: " in answers["damaged"]
