"""Hash frames so that black bars, crops at the edge and overlays in the margin change few bits."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import imagehash
import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from scripts.frames.phash import METRIC_SIDE_PX, phash_bits

THUMB_PX = 64
METHODS = ("phash", "dhash", "whash", "colorhash", "crop_resistant")
CROPS = {"crop5": 0.05, "crop10": 0.1}  # shares of width and height that a copy may lack, half on each side
CORE = 0.36  # the share left out for the inner crop, which logos, subtitles and clocks in the margin do not change
# The `query` hashes of a frame are compared with the `known` hashes of kept frames.
ROLES = ("content", "core", "crop5", "crop10", "whole", "segment", "level", "mirror", "mirror_core")
KNOWN = frozenset(ROLES[:7])
QUERY = KNOWN - CROPS.keys()
MIRRORED = frozenset(ROLES[7:])
INNER_ROLES = frozenset({"core", "mirror_core"})
BLACK_LEVEL, BLACK_SPREAD = 16, 3.5  # of a bar's line: 95th percentile and standard deviation of its luma
MOST_BARS = {"x": 0.35, "y": 0.2}  # share of the frame on each side: upright video in a wide frame, 2.4:1 in 4:3
UNEVEN = 0.03  # share of the frame by which two opposite bars may differ: a dark sky has no bar below it
FLAT_SPREAD = 2.0  # standard deviation of the luma below which only noise decides the hash
LEVEL_STEP = 8  # flat frames differ only in brightness, in steps of this width
FLAT_HASHES = np.random.default_rng(0).integers(2**64, size=256 // LEVEL_STEP + 1, dtype=np.uint64)

Box = tuple[float, float, float, float]  # left, top, right, bottom; shares of the frame


@dataclass(frozen=True)
class Hashed:
    """A frame's hashes (role, up to 64 bits), the box between its black bars, and a thumbnail (YCbCr, 64 x 64 x 3)."""

    hashes: list[tuple[str, int]]
    content: Box
    thumb: np.ndarray


def hash_picture(jpeg: bytes, method: str) -> Hashed:
    """Hash a frame without its black bars, and parts of it, by a method of imagehash.

    A flat frame gets one hash, made from its brightness, because noise would decide any other.
    """
    colour = "RGB" if method == "colorhash" else "YCbCr"
    with JpegImageFile(io.BytesIO(jpeg)) as image:
        image.draft(colour, (METRIC_SIDE_PX, METRIC_SIDE_PX))
        decoded = image.convert(colour)
    channels = decoded.convert("YCbCr")
    luma = channels.getchannel("Y")
    picture = decoded if method == "colorhash" else luma
    thumb = np.asarray(channels.resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX))
    left, top, right, bottom = content_px(np.asarray(luma))
    box = (left / luma.width, top / luma.height, right / luma.width, bottom / luma.height)
    content = picture.crop((left, top, right, bottom))
    if np.asarray(content.convert("L")).std() < FLAT_SPREAD:
        level = round(float(thumb[:, :, 0].mean())) // LEVEL_STEP
        return Hashed([("level", int(FLAT_HASHES[level]))], box, thumb)
    return Hashed(list(_by_role(picture, content, method)), box, thumb)


def _by_role(picture: Image.Image, content: Image.Image, method: str) -> Iterator[tuple[str, int]]:
    if method == "crop_resistant":
        for segment in imagehash.crop_resistant_hash(content).segment_hashes:
            yield "segment", as_number(segment.hash)
        return
    mirror = content.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    views = {"content": content, "mirror": mirror}
    if method != "colorhash":  # it ignores positions
        views |= {role: _without_margin(content, share) for role, share in {"core": CORE, **CROPS}.items()}
        views |= {"mirror_core": _without_margin(mirror, CORE)}
    if content.size != picture.size:
        views |= {"whole": picture}
    for role, view in views.items():
        yield role, _hash(view, method)


def _without_margin(picture: Image.Image, share: float) -> Image.Image:
    x, y = picture.width * share / 2, picture.height * share / 2
    return picture.crop((round(x), round(y), round(picture.width - x), round(picture.height - y)))


def _hash(picture: Image.Image, method: str) -> int:
    if method == "phash":  # imagehash.phash gives the same bits but imports scipy, 0.3 s in each job
        return as_number(phash_bits(picture))
    return as_number(getattr(imagehash, method)(picture).hash)


def as_number(bits: Any) -> int:
    """Return the bits of a hash as one number."""
    return int("".join("1" if bit else "0" for bit in np.asarray(bits).ravel()), 2)


def content_px(luma: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom (px) of the part between black bars on opposite sides."""
    high, wide = luma.shape
    top, bottom = (_black_lines(lines, round(high * MOST_BARS["y"])) for lines in (luma, luma[::-1]))
    left, right = (_black_lines(lines, round(wide * MOST_BARS["x"])) for lines in (luma.T, luma.T[::-1]))
    if abs(top - bottom) > max(2, UNEVEN * high):
        top = bottom = 0
    if abs(left - right) > max(2, UNEVEN * wide):
        left = right = 0
    return left, top, wide - right, high - bottom


def _black_lines(lines: np.ndarray, most: int) -> int:
    """Count the black lines from the first one on."""
    first = lines[:most].astype(np.float32)
    black = (np.percentile(first, 95, axis=1) <= BLACK_LEVEL) & (first.std(axis=1) <= BLACK_SPREAD)
    return most if black.all() else int(np.argmin(black))


def same_views(roles: Sequence[str]) -> list[int]:
    """Return for each role the first one that covers the same area, mirrored or not as it."""
    views = [(role == "whole", CROPS.get(role, 0), role in MIRRORED) for role in roles]
    return [views.index(view) for view in views]


def area_of(role: str, content: Box) -> Box:
    """Return the part of a frame that a hash of this role covers. The inner crop stands for all of `content`."""
    if role == "whole":
        return (0.0, 0.0, 1.0, 1.0)
    left, top, right, bottom = content
    x, y = (right - left) * CROPS.get(role, 0) / 2, (bottom - top) * CROPS.get(role, 0) / 2
    return (left + x, top + y, right - x, bottom - y)
