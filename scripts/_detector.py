"""Infer over files of images: the one way in which every stage asks a model."""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts._log import UserError

BATCH = 16


@dataclass(frozen=True)
class Inference:
    """What to ask of a model: the least confidence, IoU of suppression, input size, and class names (empty: all)."""

    confidence: float
    iou: float
    imgsz_px: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Detections:
    """The objects in one image, strongest first; `boxes_xyxy_px` in pixels of the image."""

    image: Path
    boxes_xyxy_px: list[list[float]]
    classes: list[str]
    confidences: list[float]


def import_ultralytics(work: Path, offline: bool) -> Any:
    """Import ultralytics so that it neither phones home, installs packages nor writes outside `work`."""
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(work.absolute()), "YOLO_VERBOSE": "false"}
    os.environ["YOLO_OFFLINE"] = "true" if offline else "false"
    work.mkdir(parents=True, exist_ok=True)
    import ultralytics

    ultralytics.settings.update({"sync": False})
    return ultralytics


def check_classes(wanted: Iterable[str], names: Iterable[str], key: str, model: str) -> None:
    """Raise UserError if the configuration names a class that the model does not know."""
    known = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(f"{key}: {model} has no class {', '.join(map(repr, unknown))}; allowed: {', '.join(known)}")


def read_model_card(model: Path) -> dict[str, Any]:
    """Return what compile_model wrote of a model: file, format, names, sha256 of its weights."""
    card: dict[str, Any] = json.loads((model / "model.json").read_text(encoding="utf-8"))
    return card


def detect_images(model: Path, images: list[Path], ask: Inference, threads: int, work: Path) -> Iterator[Detections]:
    """Yield the detections of each image that can be read, in order; unreadable images are left out.

    Numbers are rounded (boxes to 0.01 px, confidences to 0.0001), because the last digits of a float depend on how
    many threads summed it.
    """
    if not images:
        return  # no model is loaded for a video without frames
    card = read_model_card(model)
    check_classes(ask.classes, card["names"], "classes", card["weights"])
    ultralytics = import_ultralytics(work, offline=True)
    import torch

    torch.set_num_threads(threads)
    yolo = ultralytics.YOLO(str(model / card["file"]), task="detect")
    results = yolo.predict(
        [str(image) for image in images],
        stream=True,
        conf=ask.confidence,
        iou=ask.iou,
        imgsz=ask.imgsz_px,
        classes=[card["names"].index(name) for name in ask.classes] or None,
        batch=card["batch"] or BATCH,
        device="cuda:0" if torch.cuda.is_available() else "cpu",
        verbose=False,
        save=False,
    )
    for done, result in enumerate(results, 1):
        yield _detections(result, card["names"])
        if done % 500 == 0 or done == len(images):
            logging.info("%d of %d images", done, len(images))


def _detections(result: Any, names: list[str]) -> Detections:
    boxes = result.boxes.cpu().numpy()
    return Detections(
        image=Path(result.path),
        boxes_xyxy_px=[[round(float(v), 2) for v in box] for box in boxes.xyxy],
        classes=[names[int(c)] for c in boxes.cls],
        confidences=[round(float(c), 4) for c in boxes.conf],
    )
