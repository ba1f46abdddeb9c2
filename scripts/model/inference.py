"""What is asked of a model, where it runs, and what it answers."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Inference:
    """What to ask of a model: the least confidence, IoU of suppression, input size, and class names (empty: all)."""

    confidence: float
    iou: float
    imgsz_px: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class RuntimeOptions:
    """Where a model runs: its threads on a CPU, the folder of ultralytics' settings, and in which process."""

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
