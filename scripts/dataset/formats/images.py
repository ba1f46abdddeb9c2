"""What the writers of all formats share: the images of a dataset, by split, and their objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, its classes in the order of their numbers, and the labelled images of each split.

    An image is a row with `file` (relative to the folder), video, frame, pts_s, width, height, boxes_xyxy_px, classes
    and confidences.
    """

    folder: Path
    classes: list[str]
    images: dict[str, list[dict[str, Any]]]


def objects_of(row: dict[str, Any]) -> Iterator[tuple[list[float], str, float]]:
    """Yield box (xyxy px), class and confidence of each object; rounded, since tables hold them as 32-bit floats."""
    for box, label, score in zip(row["boxes_xyxy_px"], row["classes"], row["confidences"], strict=True):
        yield [round(edge, 2) for edge in box], label, round(score, 4)


def xywh(box: list[float]) -> list[float]:
    """Return a box given by two corners as left, top, width, height."""
    x1, y1, x2, y2 = box
    return [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)]


def typical_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with one that shows objects at the front: some readers learn types from the first."""
    typical = next((number for number, row in enumerate(rows) if row["classes"]), 0)
    return rows[typical : typical + 1] + rows[:typical] + rows[typical + 1 :]
