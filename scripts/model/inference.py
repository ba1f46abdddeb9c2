"""The input and output of a model: settings of an inference, options of the runtime, detections."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Inference:
    """Settings of an inference: lowest confidence, IoU of suppression, input size, class names (empty: all).

    An image has at most `max_objects`, the strongest.
    """

    confidence: float
    iou: float
    imgsz_px: int
    classes: tuple[str, ...]
    max_objects: int = 300


@dataclass(frozen=True)
class RuntimeOptions:
    """How a model runs: threads on a CPU, folder for ultralytics' settings, whether in the warm detector."""

    threads: int
    work: Path
    warm: bool


@dataclass(frozen=True)
class Detections:
    """The objects in one image, strongest first; `boxes_xyxy_px` in pixels of the image."""

    image: Path
    boxes_xyxy_px: list[list[float]]
    classes: list[str]
    confidences: list[float]
