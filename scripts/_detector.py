"""Infer over files of images: the one way in which every stage asks a model."""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
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


def check_role(role: str, chosen: Mapping[str, Any], compiled: Path) -> None:
    """Raise UserError for what is wrong with a role's model as far as can be told without loading it.

    An export names its classes; of other weights the compiled model tells, unless they are newer.
    """
    weights = Path(chosen["model"])
    card = compiled / "model.json"
    if (weights / "metadata.yaml").is_file():
        import yaml

        names = yaml.safe_load((weights / "metadata.yaml").read_text(encoding="utf-8"))["names"]
        check_classes(chosen["classes"], names.values(), f"{role}.classes", str(weights))
    elif card.is_file() and not (weights.exists() and weights.stat().st_mtime > card.stat().st_mtime):
        known = read_model_card(compiled)
        check_classes(chosen["classes"], known["names"], f"{role}.classes", str(weights))
        if chosen["weights_sha256"] not in ("", known["weights_sha256"]):
            raise UserError(f"{role}.weights_sha256: {weights} has {known['weights_sha256']}")


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
    settings = {
        "conf": ask.confidence,
        "iou": ask.iou,
        "imgsz": ask.imgsz_px,
        "classes": [card["names"].index(name) for name in ask.classes] or None,
        "device": "cuda:0" if torch.cuda.is_available() else "cpu",
        "verbose": False,
        "save": False,
    }
    done = 0
    for paths, arrays in _decode_ahead(images, card["batch"] or BATCH):
        readable = [(path, array) for path, array in zip(paths, arrays, strict=True) if array is not None]
        results = yolo.predict([array for _, array in readable], **settings) if readable else []
        for (path, _), result in zip(readable, results, strict=True):
            yield _detections(path, result, card["names"])
        done += len(paths)
        if done % (20 * len(paths)) == 0 or done == len(images):
            logging.info("%d of %d images", done, len(images))


def _decode_ahead(images: list[Path], batch: int) -> Iterator[tuple[list[Path], list[Any]]]:
    """Yield batches of paths and BGR pictures (None: unreadable), decoding the next batch meanwhile."""
    import cv2

    batches = [images[i : i + batch] for i in range(0, len(images), batch)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        coming = [pool.submit(cv2.imread, str(path)) for path in batches[0]]
        for paths, following in zip(batches, [*batches[1:], []], strict=True):
            current, coming = coming, [pool.submit(cv2.imread, str(path)) for path in following]
            yield paths, [picture.result() for picture in current]


def _detections(image: Path, result: Any, names: list[str]) -> Detections:
    boxes = result.boxes.cpu().numpy()
    return Detections(
        image=image,
        boxes_xyxy_px=[[round(float(v), 2) for v in box] for box in boxes.xyxy],
        classes=[names[int(c)] for c in boxes.cls],
        confidences=[round(float(c), 4) for c in boxes.conf],
    )
