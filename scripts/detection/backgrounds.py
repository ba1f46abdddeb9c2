"""Pictures that show no object: how many pass the filter, and how many the dataset takes."""

import hashlib
import math
from typing import Any

Row = dict[str, Any]


def draw(video: str, frame: str, seed: int) -> str:
    """Return the lot of a frame: what orders frames by chance, and always in the same way."""
    return hashlib.sha256(f"{seed}:{video}/{frame}".encode()).hexdigest()


def pass_backgrounds(judged: list[Row], share: float) -> list[Row]:
    """Return the filter's rows, of which as many without any object pass as a dataset of this share could take.

    That is the share of all frames looked at, so that videos which show nothing give some, too. The lots know no seed:
    another one of the dataset filters nothing again.
    """
    seen = [row for row in judged if row["keep"] and row["reason"] != "unreadable"]
    empty = sorted((row for row in seen if not row["classes"]), key=lambda row: draw(row["video"], row["frame"], 0))
    chosen = {row["frame"] for row in empty[: math.ceil(round(share * len(seen), 9))]}
    as_background = {"passed": True, "background": True, "reason": "", "value": None, "threshold": None}
    return [row | as_background if row["frame"] in chosen else row for row in judged]


def drop_backgrounds(rows: list[Row], share: float, seed: int) -> dict[tuple[str, str], Row]:
    """Return, by video and frame, why those of a split's images without objects that exceed the share are dropped."""
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
