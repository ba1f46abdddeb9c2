"""The images of a dataset by split, and their objects, for the writers of all formats."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scripts.core.row_types import ImageRow, Objects

ID_BITS = 52  # numbers that JavaScript, and COCOeval's tables of floats, hold exactly


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, its classes in the order of their numbers, and the images of each split.

    The `file` of an image is relative to the folder. `licences` holds the licence of each video; empty: not stated.
    """

    folder: Path
    classes: list[str]
    images: dict[str, list[ImageRow]]
    licences: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Return the id of each image (by `image_name`) and of each object (by `object_name`) of all splits."""
        rows = [row for of_split in self.images.values() for row in of_split]
        objects = [object_name(row, number) for row in rows for number in range(len(row["classes"]))]
        return stable_ids([*map(image_name, rows), *objects])


def image_name(row: ImageRow) -> str:
    """Return what names an image in whatever split it is."""
    return f"{row['video']}/{row['frame']}"


def object_name(row: ImageRow, number: int) -> str:
    """Return what names an object of an image, by its place among them."""
    return f"{image_name(row)}/{number}"


def stable_ids(names: Iterable[str]) -> dict[str, int]:
    """Return a positive id per name. It depends on the name alone, unless two names have the same hash."""
    ids: dict[str, int] = {}
    taken: set[int] = set()
    for name in sorted(set(names)):
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()) >> (256 - ID_BITS) or 1
        while number in taken:
            number += 1
        taken.add(number)
        ids[name] = number
    return ids


def objects_of(row: Objects) -> Iterator[tuple[list[float], str, float]]:
    """Yield box (xyxy px), class and confidence of each object, rounded: tables hold them as 32-bit floats."""
    for box, label, score in zip(row["boxes_xyxy_px"], row["classes"], row["confidences"], strict=True):
        yield [round(edge, 2) for edge in box], label, round(score, 4)


def xywh(box: list[float]) -> list[float]:
    """Convert a box from two corners to left, top, width, height."""
    x1, y1, x2, y2 = box
    return [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)]


def area(box: list[float]) -> float:
    """Return the area of a box of two corners."""
    _, _, wide, high = xywh(box)
    return round(wide * high, 2)


def typical_first(rows: list[ImageRow]) -> list[ImageRow]:
    """Move the first row with objects to the front: some readers infer types from the first row."""
    typical = next((number for number, row in enumerate(rows) if row["classes"]), 0)
    return rows[typical : typical + 1] + rows[:typical] + rows[typical + 1 :]
