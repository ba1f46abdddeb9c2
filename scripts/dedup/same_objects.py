"""Tell whether two pictures with near hashes show the same objects in the same places.

A fixed camera gives pictures whose hashes agree while a car has moved; a logo or a subtitle changes as many pixels and
no object. So the boxes that the filter saw decide, and where one has no counterpart, the pixels inside it.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from scripts.dedup.hashing import FLAT_SPREAD, MIRRORED, THUMB_PX, Box, shown_by

SURE = 0.5  # confidence from which an object counts; all of them do in a picture with no surer one
COUNTERPART_IOU = 0.3
INSIDE = 0.6  # share of a box that must lie in both pictures
SAME_PIXELS = 0.9  # correlation inside a box above which its missing counterpart is the detector's miss
SAME_WITHOUT_OBJECTS = 0.97  # correlation of pictures in which no object can decide, such as title cards
AROUND = 1.15  # of a box's sides: an object's outline tells as much as its inside
FLAT_LEVELS = 8.0  # by which the luma of two flat pictures may differ


@dataclass(frozen=True)
class Appearance:
    """A picture: its thumbnail, and the objects that the filter saw (boxes in shares of the picture)."""

    thumb: np.ndarray
    content: Box
    boxes: np.ndarray  # n x 4
    confidences: np.ndarray


@dataclass(frozen=True)
class View:
    """What of a picture is compared: luma of 64 x 64, and boxes in shares of it."""

    luma: np.ndarray
    boxes: np.ndarray


def view_of(look: Appearance, role: str) -> View:
    """Return the part of a picture that a hash of this role stands for, with the objects that count."""
    left, top, right, bottom = shown_by(role, look.content)
    edges_px = (left * THUMB_PX, top * THUMB_PX, right * THUMB_PX, bottom * THUMB_PX)
    image = Image.fromarray(look.thumb).resize((THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR, box=edges_px)
    luma = np.asarray(image, np.float32)
    sure = look.confidences >= SURE
    counted = look.boxes[sure if sure.any() else slice(None)].reshape(-1, 4)
    wide, high = right - left, bottom - top
    boxes = (counted - np.array([left, top, left, top])) / np.array([wide, high, wide, high])
    if role in MIRRORED:
        luma = luma[:, ::-1]
        boxes = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
    return View(luma, boxes)


def same_objects(a: View, b: View) -> bool:
    """Tell whether neither picture has an object that the other one lacks."""
    if not len(a.boxes) and not len(b.boxes):
        return _same_pixels(a.luma, b.luma, SAME_WITHOUT_OBJECTS)
    return not (_lacks(a, b) or _lacks(b, a))


def _lacks(one: View, other: View) -> bool:
    """Tell whether `other` lacks an object of `one` that lies in both."""
    seen = np.clip(one.boxes, 0, 1)
    inside = _areas(seen) >= INSIDE * _areas(one.boxes)
    best = _iou(seen, other.boxes).max(axis=1, initial=0.0)
    for box in seen[inside & (best < COUNTERPART_IOU)]:
        left, top, right, bottom = _around(box)
        here, there = one.luma[top:bottom, left:right], other.luma[top:bottom, left:right]
        if here.size > 2 and not _same_pixels(here, there, SAME_PIXELS):
            return True
    return False


def _around(box: np.ndarray) -> tuple[int, int, int, int]:
    """Return the pixels of a thumbnail in and around a box."""
    x, y = (box[0] + box[2]) / 2 * THUMB_PX, (box[1] + box[3]) / 2 * THUMB_PX
    wide = max((box[2] - box[0]) * THUMB_PX, 3) * AROUND / 2 + 0.5
    high = max((box[3] - box[1]) * THUMB_PX, 3) * AROUND / 2 + 0.5
    return max(0, int(x - wide)), max(0, int(y - high)), int(np.ceil(x + wide)), int(np.ceil(y + high))


def _same_pixels(a: np.ndarray, b: np.ndarray, least: float) -> bool:
    """Tell whether two pictures correlate; brightness and contrast do not matter."""
    if a.std() < FLAT_SPREAD and b.std() < FLAT_SPREAD:
        return bool(abs(a.mean() - b.mean()) < FLAT_LEVELS)
    x, y = a - a.mean(), b - b.mean()
    return float((x * y).sum()) >= least * float(np.sqrt((x * x).sum() * (y * y).sum()))


def _areas(boxes: np.ndarray) -> np.ndarray:
    sides: np.ndarray = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    area: np.ndarray = sides[:, 0] * sides[:, 1]
    return area


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    shares: np.ndarray = both / np.maximum(_areas(a)[:, None] + _areas(b)[None, :] - both, 1e-9)
    return shares
