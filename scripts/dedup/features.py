"""Read the frames that passed the filter, their hashes or vectors, and their objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.core.files import damaged
from scripts.core.layout import FILTER_TABLE, HASHES_TABLE, THUMBNAILS
from scripts.core.tables import open_table, read_rows
from scripts.dedup.hashing import INNER_ROLES, ROLES
from scripts.dedup.same_objects import Appearance
from scripts.dedup.vector_space import VECTOR_ROLES

MEASUREMENTS = ["width", "height", "sharpness", "brightness", "entropy_bits", "phash"]
EDGES = ["left", "top", "right", "bottom"]
DTYPES = (np.uint64, np.int64, np.uint8)  # of the columns of Hashes
COLUMNS = ["video", "frame", *MEASUREMENTS, "background", "confidence", *EDGES]


@dataclass(frozen=True)
class VideoFiles:
    """A video's filter.parquet, its folder of hashes, and the file of its vectors if frames are compared by vectors."""

    filtered: Path
    hashes: Path
    vectors: Path | None = None


@dataclass(frozen=True)
class Hashes:
    """Hashes (or vectors) of frames, the row of the frame that owns each (ascending), and its role (index in ROLES)."""

    codes: np.ndarray
    owners: np.ndarray
    roles: np.ndarray

    def of(self, first: int, last: int) -> slice:
        """Return the slice of the hashes of frames first to last - 1."""
        low, high = np.searchsorted(self.owners, (first, last))
        return slice(int(low), int(high))

    @cached_property
    def is_inner_crop(self) -> np.ndarray:
        """Return a mask of the inner-crop hashes. They are compared only with inner-crop hashes."""
        return np.isin(self.roles, [ROLES.index(role) for role in INNER_ROLES])

    def where(self, chosen: np.ndarray) -> "Hashes":
        """Return the hashes chosen by a mask."""
        return Hashes(self.codes[chosen], self.owners[chosen], self.roles[chosen])

    def select(self, roles: frozenset[str], order: np.ndarray) -> "Hashes":
        """Return the hashes of these roles; frames are numbered by their place in `order`."""
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        wanted = np.isin(self.roles, [ROLES.index(role) for role in roles])
        owners = place[self.owners[wanted]]
        rank = np.argsort(owners, kind="stable")
        return Hashes(self.codes[wanted][rank], owners[rank], self.roles[wanted][rank])


def load_passed(shards: Iterable[Path], videos: Sequence[str]) -> tuple[pd.DataFrame, Hashes]:
    """Return the passed frames of all videos in the order of the videos, then by time, and their hashes."""
    frames, codes, owners, roles, count = [pd.DataFrame(columns=COLUMNS)], [], [], [], 0
    for shard in shards:
        passed, hashes = _load(shard)
        if len(passed):
            frames.append(passed)
            codes.append(hashes.codes)
            owners.append(hashes.owners + count)
            roles.append(hashes.roles)
            count += len(passed)
    whole = pd.concat(frames[1:] or frames, ignore_index=True)
    columns = [
        np.concatenate([np.empty(0, dtype), *parts])
        for dtype, parts in zip(DTYPES, (codes, owners, roles), strict=True)
    ]
    places = {video: place for place, video in enumerate(videos)}
    order = np.argsort([places[video] for video in whole["video"]], kind="stable")
    return whole.iloc[order].reset_index(drop=True), Hashes(*columns).select(frozenset(ROLES), order)


def _load(shard: Path) -> tuple[pd.DataFrame, Hashes]:
    columns = ["video", "frame", *MEASUREMENTS, "passed", "background", "confidences"]
    with open_table(shard / FILTER_TABLE) as file:
        table = file.read(columns=columns)
    # Without the frames that were not measured: beside an empty cell, pandas makes floats of whole numbers.
    passed: pd.DataFrame = table.filter(table["passed"]).drop_columns(["passed"]).to_pandas()
    with open_table(shard / HASHES_TABLE) as file:
        hashed: pd.DataFrame = file.read().to_pandas()
    _check_hashes(passed, hashed)
    confidence = [float(np.mean(found)) if len(found) else 0.0 for found in passed.pop("confidences")]
    frames = passed.join(hashed[EDGES]).assign(confidence=confidence)[COLUMNS]
    counts = [len(of_frame) for of_frame in hashed["roles"]]
    hashes = Hashes(
        np.array([int(value, 16) for of_frame in hashed["hashes"] for value in of_frame], np.uint64),
        np.repeat(np.arange(len(frames)), counts),
        np.array([ROLES.index(role) for of_frame in hashed["roles"] for role in of_frame], np.uint8),
    )
    return frames, hashes


def _check_hashes(passed: pd.DataFrame, hashed: pd.DataFrame) -> None:
    both = zip_longest(*(zip(of["video"], of["frame"], strict=True) for of in (passed, hashed)), fillvalue=("~", ""))
    for one, other in both:
        if one != other:
            video = min(one[0], other[0])  # rows are sorted by the video, and "~" comes after all ids
            raise ValueError(f"hashes/{video} does not match the frames in filtered/{video}: delete it and run again")


def load_vectors(files: Mapping[str, Path], counts: Mapping[str, int], roles: frozenset[str]) -> Hashes:
    """Return the vectors of these roles of all frames; `counts` holds the number of frames of each video."""
    wanted = [i for i, role in enumerate(VECTOR_ROLES) if role in roles]
    parts = []
    for video, count in counts.items():
        of_video = load_array(files[video])
        if len(of_video) != count:
            raise ValueError(f"{files[video]} does not match the frames that passed: delete it and run again")
        if count:
            parts.append(np.asarray(of_video[:, wanted]))
    total = sum(map(len, parts))
    vectors = np.concatenate(parts).reshape(total * len(wanted), -1) if parts else np.empty((0, 1), np.float16)
    numbers = [ROLES.index(VECTOR_ROLES[i]) for i in wanted]
    return Hashes(vectors, np.repeat(np.arange(total), len(wanted)), np.tile(np.array(numbers, np.uint8), total))


def load_array(path: Path) -> Any:
    """Return an array in a file; raise Damaged if it is not whole."""
    try:
        return np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise damaged(path, error) from None


def read_appearances(source: VideoFiles) -> dict[str, Appearance]:
    """Return the thumbnail and the objects of each passed frame of a video, by the frame's name."""
    columns = ["frame", "width", "height", "boxes_xyxy_px", "confidences", "passed"]
    rows = [row for row in read_rows(source.filtered, columns) if row["passed"]]
    contents = read_rows(source.hashes / HASHES_TABLE, EDGES)
    thumbs = load_array(source.hashes / THUMBNAILS)
    return {
        row["frame"]: Appearance(
            thumb,
            (content["left"], content["top"], content["right"], content["bottom"]),
            np.array(row["boxes_xyxy_px"], float).reshape(-1, 4) / ([row["width"], row["height"]] * 2),
            np.array(row["confidences"], float),
        )
        for row, content, thumb in zip(rows, contents, thumbs, strict=True)
    }
