"""Say how far apart copies are, and pictures that are none, so that a person can judge the distance between the two."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.dedup.features import Hashes
from scripts.dedup.grouping import Check, Groups, Space
from scripts.dedup.hashing import ROLES

LOOK_UP_ALL, SAMPLE = 20_000, 5_000  # of more kept pictures than the first, only so many are looked up
PAIRS_SHOWN = 12  # of each kind
PAIRS_AT_ONCE = 2_000_000  # of hashes, compared in memory
NONE = 255  # the distance where there is no other picture

Near = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions of asked hashes, of the nearest known, their distances


@dataclass(frozen=True)
class Search:
    """How copies were looked for: `asked` hashes among `known` ones within a distance, and a check of what is seen."""

    asked: Hashes
    known: Hashes
    space: Space
    max_distance_bits: int
    check: Check


@dataclass(frozen=True)
class FramePairs:
    """Pictures, the earlier ones that they were compared with, their distances, and the roles of the two hashes."""

    newcomers: np.ndarray
    before: np.ndarray
    bits: np.ndarray
    asked_roles: np.ndarray
    known_roles: np.ndarray

    def where(self, chosen: np.ndarray) -> "FramePairs":
        """Return some of the pairs, by a mask or by numbers."""
        return FramePairs(*(column[chosen] for column in vars(self).values()))


def measure_distances(frames: Sequence[str], search: Search, stars: Groups) -> dict[str, Any]:
    """Return counts of distances, on both sides of the largest one of copies, and pairs that are closest to it.

    `frames` are named video/frame. A dropped one counts with the distance to the one it fell to; a kept one with that
    to the nearest other kept one, which is within the largest distance only where the check told the two apart.
    """
    kept = stars.star == np.arange(len(frames))
    looked_up = sample_of(np.flatnonzero(kept))
    nearest = nearest_kept(search, kept, looked_up)
    near = nearest.bits <= search.max_distance_bits
    copies = dropped_pairs(search, stars)
    kinds = {"dropped": copies, "told_apart": nearest.where(near), "kept": nearest.where(~near)}
    closeness = {"dropped": -copies.bits, "told_apart": kinds["told_apart"].bits, "kept": kinds["kept"].bits}
    videos = [name.rsplit("/", 1)[0] for name in frames]
    within = sum(videos[n] == videos[b] for n, b in zip(copies.newcomers, copies.before, strict=True))
    roles = Counter(zip(copies.asked_roles.tolist(), copies.known_roles.tolist(), strict=True))
    return {
        "max_distance_bits": search.max_distance_bits,
        "kept": int(kept.sum()),
        "looked_up": len(looked_up),
        "lone": len(looked_up) - len(nearest.bits),
        "within_video": within,
        "of_another_video": len(copies.bits) - within,
        "roles": [[ROLES[mine], ROLES[other], n] for (mine, other), n in sorted(roles.items())],
        "counts": {kind: np.bincount(pairs.bits).tolist() for kind, pairs in kinds.items()},
        "pairs": {kind: list(_closest(pairs, closeness[kind], frames, videos)) for kind, pairs in kinds.items()},
    }


def sample_of(kept: np.ndarray) -> np.ndarray:
    """Return the pictures that are looked up: all, or so many by chance that the time stays within a minute or so."""
    if len(kept) <= LOOK_UP_ALL:
        return kept
    chosen: np.ndarray = np.sort(np.random.default_rng(0).choice(kept, SAMPLE, replace=False))
    return chosen


def nearest_kept(search: Search, kept: np.ndarray, looked_up: np.ndarray) -> FramePairs:
    """Return each of these kept pictures with the nearest other kept one; those with none are left out.

    Of two pictures the later one asks and the earlier one is known, as when copies were looked for.
    """
    inner = [(search.asked.where(a), search.known.where(k)) for a, k in _inner_and_others(search)]
    parts = [_nearest_among(asked, known, search.space, kept, looked_up) for asked, known in inner]
    both = FramePairs(*(np.concatenate(c) for c in zip(*(vars(part).values() for part, _ in parts), strict=True)))
    mine = np.concatenate([owners for _, owners in parts])
    others = np.where(both.newcomers == mine, both.before, both.newcomers)
    rank = np.lexsort((both.known_roles, both.asked_roles, others, both.bits, mine))
    return both.where(rank[np.unique(mine[rank], return_index=True)[1]])


def _inner_and_others(search: Search) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(search.asked.inner == inner, search.known.inner == inner) for inner in (False, True)]


def _nearest_among(
    asked: Hashes, known: Hashes, space: Space, kept: np.ndarray, looked_up: np.ndarray
) -> tuple[FramePairs, np.ndarray]:
    """Return pairs of the pictures looked up with their nearest ones, before and after them, and who was looked up."""
    chosen = np.zeros(len(kept), bool)
    chosen[looked_up] = True
    asked, known = _of_frames(asked, kept), _of_frames(known, kept)
    asks, is_known = _of_frames(asked, chosen), _of_frames(known, chosen)
    ends = np.searchsorted(known.owners, asks.owners, "left")
    earlier = _pairs(asks, known, *nearest(space, asks.codes, known.codes, np.zeros_like(ends), ends))
    starts = np.searchsorted(asked.owners, is_known.owners, "right")
    of, at, bits = nearest(space, is_known.codes, asked.codes, starts, np.full_like(starts, len(asked.codes)))
    later = _pairs(asked, is_known, at, of, bits)
    both = FramePairs(*(np.concatenate(c) for c in zip(vars(earlier).values(), vars(later).values(), strict=True)))
    return both, np.concatenate([earlier.newcomers, later.before])


def nearest(space: Space, asked: np.ndarray, known: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Near:
    """Return for each hash the nearest of the known ones from its start to before its end, if there are any.

    Compares with every one: as exact as the search within a distance, knows no largest one, and takes no longer where
    thousands of pictures of a fixed camera are near each other.
    """
    bits, of = np.full(len(asked), NONE, np.int64), np.zeros(len(asked), np.int64)
    step = max(1, PAIRS_AT_ONCE // max(1, len(known)))
    for first in range(0, len(asked), step):
        rows = slice(first, first + step)
        low, high = int(starts[rows].min()), int(ends[rows].max())
        if low >= high:
            continue
        places = np.arange(low, high)
        found = space.distances(asked[rows], known[low:high])
        found[(places < starts[rows, None]) | (places >= ends[rows, None])] = NONE
        best = found.argmin(axis=1)
        bits[rows], of[rows] = found[np.arange(len(best)), best], best + low
    at = np.flatnonzero(bits < NONE)
    return at, of[at], bits[at]


def dropped_pairs(search: Search, stars: Groups) -> FramePairs:
    """Return each dropped picture with the one it fell to."""
    dropped = np.flatnonzero(stars.asked >= 0)
    asked, before, bits = stars.asked[dropped], stars.star[dropped], stars.distance_bits[dropped]
    met = [
        _met(search, *row) for row in zip(dropped.tolist(), asked.tolist(), before.tolist(), bits.tolist(), strict=True)
    ]
    return _pairs(search.asked, search.known, asked, np.array(met, np.int64), bits)


def _met(search: Search, newcomer: int, asked: int, before: int, bits: int) -> int:
    """Return which known hash of the earlier picture it was: the first at this distance that passes the check."""
    known = search.known.of(before, before + 1)
    mine = slice(asked, asked + 1)
    equal_bits = search.space.distances(search.asked.codes[mine], search.known.codes[known])[0] == bits
    fits = search.known.inner[known] == search.asked.inner[asked]
    equal = np.flatnonzero(equal_bits & fits) + known.start
    *unsure, last = map(int, equal)
    return next((k for k in unsure if search.check(newcomer, asked, before, k)), last)


def _pairs(asked: Hashes, known: Hashes, at: np.ndarray, of: np.ndarray, bits: np.ndarray) -> FramePairs:
    return FramePairs(asked.owners[at], known.owners[of], bits, asked.roles[at], known.roles[of])


def _of_frames(hashes: Hashes, frames: np.ndarray) -> Hashes:
    mine = frames[hashes.owners]
    return Hashes(hashes.codes[mine], hashes.owners[mine], hashes.roles[mine])


def _closest(
    pairs: FramePairs, closeness: np.ndarray, frames: Sequence[str], videos: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield the closest pairs, each once; those of equal closeness in turn from each two videos."""
    if len(closeness) > 2 * PAIRS_SHOWN:  # each is there up to twice
        inside = closeness <= np.partition(closeness, 2 * PAIRS_SHOWN)[2 * PAIRS_SHOWN]
        pairs, closeness = pairs.where(inside), closeness[inside]
    rows = sorted(set(zip(closeness.tolist(), *(column.tolist() for column in vars(pairs).values()), strict=True)))
    turns: Counter[tuple[int, str, str]] = Counter()
    ranked = []
    for close, newcomer, before, *rest in rows:
        of = (close, videos[newcomer], videos[before])
        ranked.append((close, turns[of], newcomer, before, *rest))
        turns[of] += 1
    for _, _, newcomer, before, bits, asked_role, known_role in sorted(ranked)[:PAIRS_SHOWN]:
        yield {
            "frames": [frames[newcomer], frames[before]],
            "roles": [ROLES[asked_role], ROLES[known_role]],
            "distance_bits": bits,
        }
