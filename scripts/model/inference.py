"""The input and output of a model: what a stage asks, what is kept of an inference, options of the runtime, objects."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Inference:
    """What a stage asks of a model: lowest confidence, IoU of suppression, input size, class names (empty: all).

    An image has at most `max_objects`, the strongest.
    """

    confidence: float
    iou: float
    imgsz_px: int
    classes: tuple[str, ...]
    max_objects: int = 300


@dataclass(frozen=True)
class Floor:
    """What is kept of an inference: objects above a confidence, of each class at most `most_per_class`, the strongest.

    IoU of suppression and input size decide what the model sees.
    """

    confidence: float
    iou: float
    imgsz_px: int
    most_per_class: int


@dataclass(frozen=True)
class RuntimeOptions:
    """How a model runs: threads on a CPU, folder for ultralytics' settings, whether in the warm detector."""

    threads: int
    work: Path
    warm: bool


@dataclass(frozen=True)
class Seen:
    """All that a model saw in one image down to a floor, strongest first. Confidences are not rounded.

    `boxes_xyxy_px` in pixels of the image, [] for a box without area in it; `classes` are the model's numbers.
    """

    image: Path
    boxes_xyxy_px: list[list[float]]
    classes: list[int]
    confidences: list[float]


@dataclass(frozen=True)
class Detections:
    """The objects in one image that a stage asked for, strongest first; `boxes_xyxy_px` in pixels of the image."""

    image: Path
    boxes_xyxy_px: list[list[float]]
    classes: list[str]
    confidences: list[float]
