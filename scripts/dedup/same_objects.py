"""Check whether two frames with near hashes show the same objects in the same places.

Hashes of a fixed camera agree although a car has moved. A logo or a subtitle changes as many pixels but no object. So
the boxes of the filter model decide. If a box has no counterpart, the pixels inside it decide.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from scripts.dedup.hashing import FLAT_SPREAD, MIRRORED, THUMB_PX, Box, area_of

SURE = 0.5  # confidence from which an object counts; if no object of a frame reaches it, all of them count
COUNTERPART_IOU = 0.3  # from which two boxes show the same object
INSIDE = 0.6  # share of a box that must lie in both frames
SAME_PIXELS = 0.9  # correlation inside a box above which the detector missed the counterpart
SAME_WITHOUT_OBJECTS = 0.97  # correlation above which frames without objects, such as title cards, are the same
AROUND = 1.15  # times a box's sides: the outline of an object says as much as its inside
FLAT_LEVELS = 8.0  # by which the luma of two flat frames may differ


@dataclass(frozen=True)
class Appearance:
    """A frame: its thumbnail, and the objects that the filter model found (boxes in shares of the frame)."""

    thumb: np.ndarray
    content: Box
    boxes: np.ndarray  # n x 4
    confidences: np.ndarray


@dataclass(frozen=True)
class View:
    """The part of a frame that is compared: luma of 64 x 64, and boxes in shares of it."""

    luma: np.ndarray
    boxes: np.ndarray


def view_of(appearance: Appearance, role: str) -> View:
    """Return the part of a frame that a hash of this role covers, with the objects that count."""
    left, top, right, bottom = area_of(role, appearance.content)
    edges_px = (left * THUMB_PX, top * THUMB_PX, right * THUMB_PX, bottom * THUMB_PX)
    image = Image.fromarray(appearance.thumb).resize((THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR, box=edges_px)
    luma = np.asarray(image, np.float32)
    sure = appearance.confidences >= SURE
    counted = appearance.boxes[sure if sure.any() else slice(None)].reshape(-1, 4)
    wide, high = right - left, bottom - top
    boxes = (counted - np.array([left, top, left, top])) / np.array([wide, high, wide, high])
    if role in MIRRORED:
        luma = luma[:, ::-1]
        boxes = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
    return View(luma, boxes)


def same_objects(a: View, b: View) -> bool:
    """Return whether neither frame shows an object that the other one lacks."""
    if not len(a.boxes) and not len(b.boxes):
        return _same_pixels(a.luma, b.luma, SAME_WITHOUT_OBJECTS)
    return not (_lacks(a, b) or _lacks(b, a))


def _lacks(one: View, other: View) -> bool:
    """Return whether `other` lacks an object of `one` that lies in both."""
    visible = np.clip(one.boxes, 0, 1)
    inside = _areas(visible) >= INSIDE * _areas(one.boxes)
    best = _iou(visible, other.boxes).max(axis=1, initial=0.0)
    for box in visible[inside & (best < COUNTERPART_IOU)]:
        left, top, right, bottom = _around(box)
        here, there = one.luma[top:bottom, left:right], other.luma[top:bottom, left:right]
        if here.size > 2 and not _same_pixels(here, there, SAME_PIXELS):
            return True
    return False


def _around(box: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom (px of a thumbnail) of a box and its outline."""
    x, y = (box[0] + box[2]) / 2 * THUMB_PX, (box[1] + box[3]) / 2 * THUMB_PX
    wide = max((box[2] - box[0]) * THUMB_PX, 3) * AROUND / 2 + 0.5
    high = max((box[3] - box[1]) * THUMB_PX, 3) * AROUND / 2 + 0.5
    return max(0, int(x - wide)), max(0, int(y - high)), int(np.ceil(x + wide)), int(np.ceil(y + high))


def _same_pixels(a: np.ndarray, b: np.ndarray, least: float) -> bool:
    """Return whether the pixels correlate; brightness and contrast do not matter."""
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
