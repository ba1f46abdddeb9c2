"""The images of a dataset by split, and their objects, for the writers of all formats."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.core.row_types import ImageRow, Objects


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, its classes in the order of their numbers, and the images of each split.

    The `file` of an image is relative to the folder.
    """

    folder: Path
    classes: list[str]
    images: dict[str, list[ImageRow]]


def objects_of(row: Objects) -> Iterator[tuple[list[float], str, float]]:
    """Yield box (xyxy px), class and confidence of each object, rounded: tables hold them as 32-bit floats."""
    for box, label, score in zip(row["boxes_xyxy_px"], row["classes"], row["confidences"], strict=True):
        yield [round(edge, 2) for edge in box], label, round(score, 4)


def xywh(box: list[float]) -> list[float]:
    """Convert a box from two corners to left, top, width, height."""
    x1, y1, x2, y2 = box
    return [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)]


def typical_first(rows: list[ImageRow]) -> list[ImageRow]:
    """Move the first row with objects to the front: some readers infer types from the first row."""
    typical = next((number for number, row in enumerate(rows) if row["classes"]), 0)
    return rows[typical : typical + 1] + rows[:typical] + rows[typical + 1 :]
