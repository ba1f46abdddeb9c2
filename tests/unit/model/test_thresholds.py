"""What a model saw down to a floor answers each query above it as ultralytics would, whatever the model's head."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.model.inference import Detections, Floor, Inference, Seen
from scripts.model.thresholds import LOWEST_CONFIDENCE, answers, floor_for, judge
from tests.conftest import REPO

TRIALS = 150
NAMES = ["car", "person", "dog", "bus"]
QUERY = Inference(confidence=0.4, iou=0.7, imgsz_px=320, classes=("car",))

# A head's random output goes through ultralytics' predictor twice: with a query's thresholds, and with those of the
# engine and through ours. Scores are in steps, because those of INT8 models are often equal.
JOB = """
import json, random, sys
from pathlib import Path
from types import SimpleNamespace
from scripts.model.engine import MOST_BOXES, SETTINGS, import_ultralytics
import_ultralytics(Path(sys.argv[1]), offline=True)
import numpy as np
import torch
import torchvision
from ultralytics.models.rtdetr import RTDETRPredictor
from ultralytics.models.yolo.detect import DetectionPredictor
from ultralytics.models.yolo.obb import OBBPredictor
from scripts.model.boxes import box_predictor, clip_box, seen_in
from scripts.model.decode import DecodedImage
from scripts.model.inference import Inference
from scripts.model.thresholds import floor_for, judge
import scripts.model.thresholds as thresholds

kind, trials, names = sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
thresholds.USUAL_MOST = 5  # few of each class are kept, so that this limit is reached
BASES = {"rotated": OBBPredictor, "transformer": RTDETRPredictor}
PIXELS = np.zeros((100, 100, 3), np.uint8)
random.seed(0)
torch.manual_seed(0)


def result_of(output, settings):
    predictor = box_predictor(BASES.get(kind, DetectionPredictor))(overrides=SETTINGS | {"device": "cpu"} | settings)
    predictor.model = SimpleNamespace(names=dict(enumerate(names)), end2end=kind == "free")
    predictor.batch = [["a.jpg"]]
    return predictor.postprocess(output.clone(), torch.zeros(1, 3, 100, 100), [PIXELS])[0]


def output_of_head():
    count = random.choice([0, 1, 5, 40, 200])
    centres, sizes = torch.rand(count, 2) * 120 - 10, torch.rand(count, 2) * 40 + 5
    boxes = torch.cat([centres, sizes], 1)
    scores = torch.rand(count, len(names)) ** 2
    if kind != "rotated":
        scores = (scores * 40).round() / 40
    if kind == "suppressed":
        return torch.cat([boxes, scores], 1).T[None]
    if kind == "rotated":
        return torch.cat([boxes, scores, torch.rand(count, 1)], 1).T[None]
    best, classes = scores.max(1)
    corners = torch.cat([centres - sizes / 2, centres + sizes / 2], 1)
    rows = torch.cat([boxes / 100 if kind == "transformer" else corners, best[:, None], classes[:, None].float()], 1)
    return rows[best.argsort(descending=True, stable=True)][None] if random.random() < 0.5 else rows[None]


counts = []
for trial in range(trials):
    output = output_of_head()
    wanted = tuple(random.sample(names, random.choice([0, 1, 2])))
    confidence = random.choice([0.02, 0.05, 0.1, 0.25, 0.35, round(random.random(), 3)])
    query = Inference(confidence, random.choice([0.3, 0.7]), 100, wanted, random.choice([1, 3, 7, 300]))
    floor = floor_for(query)
    asked = {"conf": query.confidence, "iou": query.iou, "max_det": query.max_objects}
    result = result_of(output, asked | {"classes": [names.index(name) for name in wanted] or None})
    found = (result.boxes if result.obb is None else result.obb).numpy()
    expected = [
        (box, names[int(number)], round(score, 4))
        for edges, number, score in zip(found.xyxy.tolist(), found.cls.tolist(), found.conf.tolist())
        if (box := clip_box(edges, 100, 100))
    ]
    kept = result_of(output, {"conf": floor.confidence, "iou": floor.iou, "max_det": MOST_BOXES})
    seen = seen_in(Path("a.jpg"), kept, DecodedImage(PIXELS, (1.0, 1.0)), floor.most_per_class)
    judged = judge(seen, names, query)
    assert list(zip(judged.boxes_xyxy_px, judged.classes, judged.confidences)) == expected, (trial, query)
    counts.append([len(seen.classes), len(expected), query.max_objects])
print("COUNTS", json.dumps(counts))
"""


@pytest.mark.parametrize("kind", ["suppressed", "free", "rotated", "transformer"])
def test_judging_what_was_seen_is_the_same_as_inferring_with_the_thresholds(tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-c", JOB, str(tmp_path / "w"), kind, str(TRIALS), json.dumps(NAMES)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout.split("COUNTS ")[1])
    assert len(counts) == TRIALS
    assert sum(found == most for _, found, most in counts) > 10, "or no query was cut"
    assert sum(0 < found < seen for seen, found, _ in counts) > 20, "or no threshold decided"


def test_a_floor_answers_queries_above_it_with_the_same_sight() -> None:
    floor = floor_for(QUERY)
    assert floor == Floor(LOWEST_CONFIDENCE, 0.7, 320, 300) and answers(floor, QUERY)
    assert answers(floor, Inference(0.05, 0.7, 320, (), 300))
    for other in (
        Inference(0.04, 0.7, 320, ()),
        Inference(0.4, 0.6, 320, ()),
        Inference(0.4, 0.7, 640, ()),
        Inference(0.4, 0.7, 320, (), 301),
    ):
        assert not answers(floor, other) and answers(floor_for(other), other)


def test_boxes_outside_the_picture_count_for_the_limit_but_are_no_objects() -> None:
    seen = Seen(Path("a.jpg"), [[], [0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0]], [0, 0, 0], [0.9, 0.8, 0.70004])
    assert judge(seen, NAMES, Inference(0.4, 0.7, 320, (), 2)) == Detections(
        Path("a.jpg"), [[0.0, 0.0, 1.0, 1.0]], ["car"], [0.8]
    )
    assert judge(seen, NAMES, Inference(0.4, 0.7, 320, ())).confidences == [0.8, 0.7]


def test_a_threshold_is_compared_before_confidences_are_rounded() -> None:
    seen = Seen(Path("a.jpg"), [[0.0, 0.0, 1.0, 1.0]] * 2, [0, 0], [0.40001, 0.4000000059604645])  # as 32 bits hold 0.4
    assert judge(seen, NAMES, QUERY).confidences == [0.4]


def test_a_class_without_a_name_is_an_error_only_if_it_is_asked_for() -> None:
    seen = Seen(Path("a.jpg"), [[0.0, 0.0, 1.0, 1.0]] * 2, [0, 7], [0.9, 0.8])
    assert judge(seen, NAMES, QUERY).classes == ["car"]
    with pytest.raises(UserError, match="the model finds class number 7, but has only 4 class names"):
        judge(seen, NAMES, Inference(0.4, 0.7, 320, ()))
