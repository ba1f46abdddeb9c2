"""What came out of a split: shares of images, groups and classes, and a seed that would come closer to those wanted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.dataset.splits import Group, Splitting, assign_splits, wanted_splits
from scripts.inputs.videos import SPLITS

SEEDS = 200


@dataclass(frozen=True)
class Tally:
    """How many images (first column) and objects of each class came from each video."""

    videos: list[str]
    classes: list[str]
    counts: npt.NDArray[np.int64]

    def by_split(self, splits: Mapping[str, str]) -> npt.NDArray[np.int64]:
        """Return the same counts per split."""
        chosen = np.array([SPLITS.index(splits[video]) for video in self.videos], np.int64)
        return np.stack([self.counts[chosen == i].sum(axis=0) for i in range(len(SPLITS))])


def tally(images: Iterable[Mapping[str, Any]], classes: Sequence[str]) -> Tally:
    """Count the dataset's images, each with its video and the classes of its objects."""
    numbers = {name: i for i, name in enumerate(classes, 1)}
    counts: dict[str, npt.NDArray[np.int64]] = {}
    for image in images:
        row = counts.setdefault(image["video"], np.zeros(1 + len(classes), np.int64))
        row[0] += 1
        for name, count in Counter(image["classes"]).items():
            row[numbers[name]] += count
    stacked = np.stack(list(counts.values())) if counts else np.zeros((0, 1 + len(classes)), np.int64)
    return Tally(list(counts), list(classes), stacked)


def outcome(
    groups: Sequence[Group], splits: Mapping[str, str], counted: Tally, shares: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return what each split got. A group that forced splits divide counts in each of them."""
    counts = counted.by_split(splits)
    used = set(counted.videos)
    n_groups = Counter(split for group in groups for split in {splits[v] for v in group.videos if v in used})
    got = _shares(counts)
    result: dict[str, dict[str, Any]] = {}
    for i, split in enumerate(SPLITS):
        off = np.abs(got[i, 1:] - shares[split])
        worst = int(np.nanargmax(off)) if not np.isnan(off).all() else None
        result[split] = {
            "wanted_share": shares[split],
            "images": int(counts[i, 0]),
            "image_share": _rounded(got[i, 0]),
            "groups": n_groups[split],
            "group_share": _rounded(n_groups[split] / n_groups.total()) if n_groups else None,
            "worst_class": None if worst is None else counted.classes[worst],
            "worst_class_share": None if worst is None else _rounded(got[i, 1 + worst]),
            "worst_class_off": None if worst is None else _rounded(off[worst]),
            "missing_classes": [
                name for name, n, total in zip(counted.classes, counts[i, 1:], counts[:, 1:].sum(axis=0), strict=True)
                if total and not n
            ],
        }  # fmt: skip
    return result


def suggest_seed(groups: Sequence[Group], counted: Tally, splitting: Splitting) -> dict[str, Any]:
    """Return the seed, of 200 and the configured one, whose splits come closest to what is wanted, and what it gives.

    First as few empty splits as can be, then the least distance from the wanted shares: that of the images, plus the
    mean of the classes' own.
    """
    seeds = {splitting.seed, *range(SEEDS)}  # the same ones once one of the 200 is configured: it is not outdone then
    scores = {seed: _score(assign_splits(groups, splitting.shares, seed), counted, splitting) for seed in seeds}
    best = min(seeds, key=lambda seed: (scores[seed], seed != splitting.seed, seed))
    splits = assign_splits(groups, splitting.shares, best)
    return {
        "seed": best,
        "is_configured": best == splitting.seed,
        "distance": scores[best][1],
        "configured_distance": scores[splitting.seed][1],
        "splits": outcome(groups, splits, counted, splitting.shares),
    }


def _score(splits: Mapping[str, str], counted: Tally, splitting: Splitting) -> tuple[int, float]:
    counts = counted.by_split(splits)
    empty = sum(not counts[SPLITS.index(split), 0] for split in wanted_splits(splitting.shares))
    wanted = np.array([[splitting.shares[split]] for split in SPLITS])
    misplaced = np.abs(_shares(counts) - wanted).sum(axis=0) / 2  # the share that is in another split than wanted
    classes = misplaced[1:][~np.isnan(misplaced[1:])]
    total = float(np.nan_to_num(misplaced[0])) + (float(classes.mean()) if len(classes) else 0.0)
    return empty, round(total, 4)


def _shares(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the share of each split in each column; nan where there is nothing to share."""
    totals = counts.sum(axis=0).astype(float)
    return counts / np.where(totals == 0, np.nan, totals)


def _rounded(share: float) -> float | None:
    return None if np.isnan(share) else round(float(share), 4)
