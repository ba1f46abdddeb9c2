"""Backgrounds, images without any object: how many pass the filter, and how many the dataset takes."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # filter_frames loads pyarrow later, during inference
    from scripts.core.row_types import Fate, FilterRow


def draw(video: str, frame: str, seed: int) -> str:
    """Return the rank of a frame in an order that is random but always the same."""
    return hashlib.sha256(f"{seed}:{video}/{frame}".encode()).hexdigest()


def pass_backgrounds(judged: list["FilterRow"], share: float) -> list["FilterRow"]:
    """Return the filter's rows, with backgrounds passed up to the number that a dataset with this share could take.

    The share is of all readable frames, so that videos without objects give some, too. The order ignores the dataset's
    seed: another seed must not filter again.
    """
    seen = [row for row in judged if row["keep"] and row["reason"] != "unreadable"]
    empty = sorted((row for row in seen if not row["classes"]), key=lambda row: draw(row["video"], row["frame"], 0))
    chosen = {row["frame"] for row in empty[: math.ceil(round(share * len(seen), 9))]}
    return [_as_background(row) if row["frame"] in chosen else row for row in judged]


def _as_background(row: "FilterRow") -> "FilterRow":
    return {**row, "passed": True, "background": True, "reason": "", "value": None, "threshold": None}


def drop_backgrounds(rows: Sequence[Mapping[str, Any]], share: float, seed: int) -> dict[tuple[str, str], "Fate"]:
    """Return why backgrounds of a split exceed their share and are dropped, by video and frame.

    `rows` are the labels of the split's images: video, frame and classes of each.
    """
    empty = sorted((row for row in rows if not row["classes"]), key=lambda row: draw(row["video"], row["frame"], seed))
    keys = [(row["video"], row["frame"]) for row in empty]
    if not share:
        return {key: {"reason": "no_objects", "value": 0.0, "threshold": 1.0} for key in keys}
    allowed = math.floor(round((len(rows) - len(empty)) * share / (1 - share), 9))
    return {
        key: {"reason": "surplus_background", "value": float(number), "threshold": float(allowed)}
        for number, key in enumerate(keys, 1)
        if number > allowed
    }
