"""Untrained models of every kind that find many objects: trained ones would need the network."""

from pathlib import Path

from tests._forked import TORCH, run_loaded

JOB = """
import sys
from pathlib import Path
from scripts.model.engine import import_ultralytics
out = Path(sys.argv[2])
ultralytics = import_ultralytics(out.parent / "work", offline=True)
import torch
torch.manual_seed(0)
kind = sys.argv[1]
if kind.startswith("yoloe"):
    model = ultralytics.YOLOE(f"{kind}.yaml")
    words = ["traffic cone", "road sign"]
    model.set_classes(words, torch.nn.functional.normalize(torch.randn(1, 2, 512), dim=-1))
else:
    model = (ultralytics.RTDETR if "rtdetr" in kind else ultralytics.YOLO)(f"{kind}.yaml")
    model.model.names = {number: f"class {number}" for number in range(len(model.model.names))}
head = model.model.model[-1]
with torch.no_grad():
    if "rtdetr" in kind:  # large boxes, which reach beyond the picture
        head.dec_score_head[-1].bias.zero_()
        head.dec_bbox_head[-1].layers[-1].weight.normal_(0, 0.3)
    for parts in (getattr(head, name, ()) for name in ("cv3", "one2one_cv3")):
        for part in parts or ():
            if hasattr(part[-1], "weight") and not kind.startswith("yoloe"):
                part[-1].weight.normal_(0, 0.3)
                part[-1].bias.zero_()
    if kind.startswith("yoloe"):
        for part in head.cv4:
            part.bias.zero_()
model.save(out)
"""


def untrained(kind: str, weights: Path) -> Path:
    """Save untrained weights of one of ultralytics' models, such as yolov8n-seg, and return their path."""
    weights.parent.mkdir(parents=True, exist_ok=True)
    run_loaded(TORCH, JOB, kind, weights)
    return weights
