"""Check whether two frames with near hashes show the same objects in the same places.

Hashes of a fixed camera agree although a car has moved. A logo or a subtitle changes as many pixels but no object. So
the boxes of the filter model decide. If a box has no counterpart, the pixels inside it decide. If it has one, the two
must look the same: another person may stand at the same place.
"""

from dataclasses import dataclass
from itertools import product

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
SAME_LOOK = 18.5  # mean difference of RGB values up to which counterparts look the same (docs/decisions.md)
SHIFT_PX = 2  # of a thumbnail, by which crops and bars move a picture
LIGHT_ROUNDS = 4  # each leaves out the quarter of the pixels that fits worst: logos, shadows, people without a box
COLOURLESS, COLOURED = 4.0, 8.0  # median spread of a picture's RGB values: below, and from, which it is so
UNCLIPPED = (4, 245)  # darker and brighter pixels may have been cut off by a change of contrast
LEAST_OUTSIDE, LEAST_PIXELS = 0.05, 20  # a share of the frame, and pixels, that tell the light
GAIN = (0.5, 2.0)  # outside of this, a change of contrast is a mistake of ours


@dataclass(frozen=True)
class Appearance:
    """A frame: its thumbnail (YCbCr), and the objects that the filter model found (boxes in shares of the frame)."""

    thumb: np.ndarray
    content: Box
    boxes: np.ndarray  # n x 4
    confidences: np.ndarray


@dataclass(frozen=True)
class View:
    """The part of a frame that is compared: luma of 64 x 64, the same in RGB (8 bits), and boxes in shares of it."""

    luma: np.ndarray
    rgb: np.ndarray
    boxes: np.ndarray


def view_of(appearance: Appearance, role: str) -> View:
    """Return the part of a frame that a hash of this role covers, with the objects that count."""
    left, top, right, bottom = area_of(role, appearance.content)
    edges_px = (left * THUMB_PX, top * THUMB_PX, right * THUMB_PX, bottom * THUMB_PX)
    whole = Image.fromarray(appearance.thumb, "YCbCr")
    image = whole.resize((THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR, box=edges_px)
    luma, rgb = np.asarray(image.getchannel("Y"), np.float32), np.asarray(image.convert("RGB"))
    sure = appearance.confidences >= SURE
    counted = appearance.boxes[sure if sure.any() else slice(None)].reshape(-1, 4)
    wide, high = right - left, bottom - top
    boxes = (counted - np.array([left, top, left, top])) / np.array([wide, high, wide, high])
    if role in MIRRORED:
        luma, rgb = luma[:, ::-1], rgb[:, ::-1]
        boxes = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
    return View(luma, rgb, boxes)


def same_objects(a: View, b: View) -> bool:
    """Return whether neither frame shows an object that the other one lacks, or another one at its place."""
    if not len(a.boxes) and not len(b.boxes):
        return _same_pixels(a.luma, b.luma, SAME_WITHOUT_OBJECTS)
    return not (_lacks(a, b) or _lacks(b, a)) and _look_the_same(a, b)


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


def _look_the_same(a: View, b: View) -> bool:
    """Return whether all objects that are in both frames look the same in both."""
    pairs = _counterparts(a, b)
    if not pairs:
        return True
    here, there = _in_the_same_light(a, b)
    spreads = _spread(here), _spread(there)
    if min(spreads) < COLOURLESS and max(spreads) >= COLOURED:  # a copy in black and white
        here, there = here.mean(axis=2), there.mean(axis=2)
    return all(_fits(here, there, one, other) for one, other in pairs)


def _spread(rgb: np.ndarray) -> float:
    red, green, blue = np.moveaxis(rgb, 2, 0)  # NumPy takes four times as long over an axis of three
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return float(np.median(most - least))


def _counterparts(a: View, b: View) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the boxes of both frames that are at the same place."""
    seen_a, seen_b = np.clip(a.boxes, 0, 1), np.clip(b.boxes, 0, 1)
    if not len(seen_a) or not len(seen_b):
        return []
    pairs = set()
    ious = _iou(seen_a, b.boxes)
    for i in np.flatnonzero((_areas(seen_a) >= INSIDE * _areas(a.boxes)) & (ious.max(axis=1) >= COUNTERPART_IOU)):
        pairs.add((int(i), int(ious[i].argmax())))
    ious = _iou(seen_b, a.boxes)
    for j in np.flatnonzero((_areas(seen_b) >= INSIDE * _areas(b.boxes)) & (ious.max(axis=1) >= COUNTERPART_IOU)):
        pairs.add((int(ious[j].argmax()), int(j)))
    return [(seen_a[i], seen_b[j]) for i, j in sorted(pairs)]


def _in_the_same_light(a: View, b: View) -> tuple[np.ndarray, np.ndarray]:
    """Return both pictures (RGB) as if brightness and contrast were the same, by the pixels outside the objects."""
    outside = np.ones((THUMB_PX, THUMB_PX), bool)
    for box in np.clip(np.concatenate([a.boxes, b.boxes]), 0, 1):
        left, top, right, bottom = _around(box)
        outside[top:bottom, left:right] = False
    low, high = UNCLIPPED
    sound = (np.minimum(a.luma, b.luma) > low) & (np.maximum(a.luma, b.luma) < high)
    both = sound & outside
    chosen = both if np.count_nonzero(both) >= LEAST_OUTSIDE * both.size else sound
    gain, offset = _light(b.luma[chosen], a.luma[chosen])
    here, there = a.rgb.astype(np.float32), b.rgb.astype(np.float32)
    if gain >= 1:  # the picture with less contrast changes, for what the other one has cut off cannot come back
        return here, np.clip(gain * there + offset, 0, 255)
    return np.clip((here - offset) / gain, 0, 255), there


def _light(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the gain and the offset that turn the luma x into y, without the pixels that do not fit."""
    gain, offset = 1.0, 0.0
    for _ in range(LIGHT_ROUNDS):
        if x.size < LEAST_PIXELS:
            break
        mean_x, mean_y = x.mean(keepdims=True), y.mean(keepdims=True)
        spread_x, spread_y = x.std(mean=mean_x), y.std(mean=mean_y)
        if min(spread_x, spread_y) < FLAT_SPREAD:
            return 1.0, float(np.median(y - x))
        gain = min(max(float(spread_y / spread_x), GAIN[0]), GAIN[1])
        offset = float(mean_y[0] - gain * mean_x[0])
        errors = np.abs(y - gain * x - offset)
        last = int(0.75 * (errors.size - 1))
        fits = errors <= np.partition(errors, last)[last]  # faster than np.quantile
        x, y = x[fits], y[fits]
    return gain, offset


def _fits(here: np.ndarray, there: np.ndarray, box: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two counterparts differ little on average: at one place, or box upon box."""
    both = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
    centre, moved = (box[:2] + box[2:]) / 2, (other[:2] + other[2:] - box[:2] - box[2:]) / 2
    half = np.maximum(box[2:] - box[:2], other[2:] - other[:2]) / 2
    x, y = (round(step) for step in (moved * THUMB_PX).tolist())
    return _fits_near(here, there, both, (0, 0), SHIFT_PX) or _fits_near(
        here, there, np.concatenate([centre - half, centre + half]), (x, y), 1
    )


def _fits_near(here: np.ndarray, there: np.ndarray, box: np.ndarray, to: tuple[int, int], around: int) -> bool:
    """Return whether a box differs little from the same one shifted `to` a place (px of a thumbnail), or near it."""
    left, top, right, bottom = _around(box, 1.0, 0.0)
    found = here[top:bottom, left:right]
    steps = range(-around, around + 1)
    for dx, dy in sorted(product(steps, steps), key=lambda step: abs(step[0]) + abs(step[1])):  # mostly the first fits
        x, y = to[0] + dx, to[1] + dy
        if left + x >= 0 and top + y >= 0 and right + x <= THUMB_PX and bottom + y <= THUMB_PX:
            shifted = there[top + y : bottom + y, left + x : right + x]
            if np.abs(found - shifted).mean() <= SAME_LOOK:
                return True
    return False


def _around(box: np.ndarray, times: float = AROUND, rim_px: float = 0.5) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom (px of a thumbnail) of a box and its outline."""
    x, y = (box[0] + box[2]) / 2 * THUMB_PX, (box[1] + box[3]) / 2 * THUMB_PX
    wide = max((box[2] - box[0]) * THUMB_PX, 3) * times / 2 + rim_px
    high = max((box[3] - box[1]) * THUMB_PX, 3) * times / 2 + rim_px
    left, top, right, bottom = int(x - wide), int(y - high), int(np.ceil(x + wide)), int(np.ceil(y + high))
    return max(0, left), max(0, top), min(THUMB_PX, right), min(THUMB_PX, bottom)


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
