"""Every model's boxes lie in the picture, whatever else the model finds."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scripts.model.boxes import clip_box
from scripts.model.inference import Inference
from tests._forked import TORCH, run_loaded
from tests._infer import detect_alone
from tests._models import JOB, compiled
from tests._shared import made
from tests._untrained import untrained

QUERY = Inference(confidence=0.3, iou=0.5, imgsz_px=160, classes=(), max_objects=50)
SIZE = (160, 90)
KINDS = ("yolov8n-seg", "yolov8n-pose", "yolov8n-obb", "yoloe-11n-seg", "yolov8n-rtdetr")

# What ultralytics itself finds in an image: the sides of the boxes, and their confidences.
REFERENCE = """
import json, sys
from pathlib import Path
from scripts.model.engine import import_ultralytics
weights, image, work, *settings = sys.argv[1:]
ultralytics = import_ultralytics(Path(work), offline=True)
conf, iou, px, most = map(float, settings)
(found,) = ultralytics.YOLO(weights).predict(image, conf=conf, iou=iou, imgsz=int(px), max_det=int(most), verbose=False)
boxes = found.boxes if found.obb is None else found.obb
print("FOUND", json.dumps([[*box, score] for box, score in zip(boxes.xyxy.tolist(), boxes.conf.tolist())]))
"""


@pytest.fixture(scope="session", params=KINDS)
def weights(request: pytest.FixtureRequest, shared: Path) -> Path:
    """Return untrained weights of each kind."""
    return weights_of(str(request.param), shared)


def weights_of(kind: str, shared: Path) -> Path:
    """Return untrained weights of a kind; made once."""

    def make(folder: Path) -> None:
        untrained(kind, folder / f"{kind}.pt")

    return made(shared / kind, make) / f"{kind}.pt"


@pytest.mark.parametrize(("kind", "times"), [("yolov8n-obb", 1), ("yolov8n-pose", 0)])
def test_a_model_of_rotated_boxes_says_once_what_its_labels_are(
    kind: str, times: int, shared: Path, tmp_path: Path
) -> None:
    job = "import logging, sys\nlogging.basicConfig(stream=sys.stdout)\n" + JOB
    logged = run_loaded(TORCH, job, weights_of(kind, shared), 160, "native", tmp_path / "model")
    assert logged.count("finds rotated boxes: labels are the upright boxes around them") == times


def reference(weights: Path, image: Path, work: Path) -> list[list[float]]:
    settings = [str(v) for v in (QUERY.confidence, QUERY.iou, QUERY.imgsz_px, QUERY.max_objects)]
    printed = run_loaded(TORCH, REFERENCE, weights, image, work, *settings)
    found: list[list[float]] = json.loads(printed.split("FOUND ")[1])
    return found


@pytest.fixture(scope="session")
def small(images: list[Path], shared: Path) -> Path:
    """Return an image that is no larger than the models' input, so that it is decoded as it is."""

    def make(folder: Path) -> None:
        with Image.open(images[1]) as image:
            image.resize(SIZE).save(folder / "small.jpg", quality=95)

    return made(shared / "small", make) / "small.jpg"


def check_inside(found: Any, width: int, height: int) -> None:
    for left, top, right, bottom in found.boxes_xyxy_px:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height


@pytest.mark.public_report(
    "ultralytics/ultralytics 3914",
    saw="predicted boxes reach beyond the picture, and normalized ones beyond 1",
    here="the boxes of every kind of model are cut to the picture",
)
@pytest.mark.public_report(
    "ultralytics/ultralytics 18933",
    saw="upright boxes of a rotated-box model are negative or beyond the picture",
    here="a rotated box counts by the upright box around it, cut to the picture",
)
@pytest.mark.public_report(
    "roboflow/rf-detr 1167",
    saw="a transformer's boxes at the picture's edge are not clamped",
    here="one place cuts the boxes of all models to the picture, RT-DETR's too",
)
def test_models_of_every_kind_give_the_boxes_that_ultralytics_finds_cut_to_the_picture(
    weights: Path, small: Path, tmp_path: Path
) -> None:
    expected = reference(weights, small, tmp_path / "w")
    width, height = SIZE
    outside = [b for b in expected if min(b[:2]) < 0 or b[2] > width or b[3] > height]
    if "obb" in weights.stem or "rtdetr" in weights.stem:
        assert outside, "or this test tries nothing"
    cut = [(clip_box(box, width, height), round(score, 4)) for *box, score in expected]
    native = compiled(weights, QUERY.imgsz_px, tmp_path / "native", "native")
    (found,) = detect_alone(native, [small], QUERY, tmp_path / "w")
    ours = list(zip(found.boxes_xyxy_px, found.confidences, strict=True))
    check_inside(found, width, height)
    # ultralytics drops an object whose mask is empty; its box is as good as any.
    assert len(ours) >= 5 and all(any(_near(one, other) for other in ours) for one in cut if one[0])
    exported = compiled(weights, QUERY.imgsz_px, tmp_path / "openvino")
    (found,) = detect_alone(exported, [small], QUERY, tmp_path / "w")
    assert len(found.boxes_xyxy_px) >= 0.8 * len(ours)
    check_inside(found, width, height)


def _near(one: tuple[Any, float], other: tuple[list[float], float]) -> bool:
    apart = [abs(a - b) for a, b in zip([*one[0], 50 * one[1]], [*other[0], 50 * other[1]], strict=True)]
    return bool(max(apart) < 0.1)


def test_boxes_that_are_not_finite_or_have_no_area_in_the_picture_are_dropped() -> None:
    assert clip_box([-5.004, 10, 20, 200.0], 100, 50) == [0.0, 10, 20, 50]
    assert str(clip_box([-0.0, 10, 20, 30], 100, 50)) == "[0.0, 10, 20, 30]"
    for dropped in ([5, 5, 5, 9], [9, 5, 5, 9], [101, 0, 120, 9], [-9, 0, -1, 9], [5, 5, 5.004, 9]):
        assert clip_box(dropped, 100, 50) is None
    for odd in (math.nan, math.inf, -math.inf):
        for number in range(4):
            unreal = [5.0, 5.0, 9.0, 9.0]
            unreal[number] = odd
            assert clip_box(unreal, 100, 50) is None
    random.seed(0)
    for _ in range(5000):
        width, height = random.randint(1, 9000), random.randint(1, 9000)
        box = clip_box([random.uniform(-9999, 9999) for _ in range(4)], width, height)
        assert box is None or (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height)


# ultralytics' suppression is given a clock that runs fast, as on a machine with too much work.
SLOW = """
import itertools, json, sys
from pathlib import Path
from scripts.model.engine import Engine
from scripts.model.inference import Floor
import ultralytics.utils.nms as nms
from types import SimpleNamespace
engine = Engine(Path(sys.argv[1]), "cpu", 1, Path(sys.argv[2]))
nms.time = SimpleNamespace(time=itertools.count(0, 100).__next__)
found = engine.see([Path(image) for image in sys.argv[3:]], Floor(0.4, 0.7, 320, 300))
print("COUNTS", json.dumps([len(one.classes) for one in found]))
"""


@pytest.mark.public_report(
    "ultralytics/ultralytics 3031",
    saw="'NMS time limit exceeded', and the objects of other images are missing",
    here="suppression runs for one image at a time, so that no image of a batch loses its objects",
)
def test_a_slow_machine_loses_no_objects_of_a_batch(compiled_demo: Path, images: list[Path], tmp_path: Path) -> None:
    same = [images[1]] * 3
    printed = run_loaded(TORCH, SLOW, compiled_demo / "native", tmp_path / "w", *same)
    query = Inference(0.4, 0.7, 320, ())
    calm = detect_alone(compiled_demo / "native", same, query, tmp_path / "w")
    assert json.loads(printed.split("COUNTS ")[1]) == [len(one.classes) for one in calm]
    assert all(one.classes for one in calm), "or this test tries nothing"
