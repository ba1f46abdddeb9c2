"""Measure the distances of copies and of frames that are no copies, so that a user can judge the limit between them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from scripts.dedup.features import Hashes
from scripts.dedup.grouping import Check, Groups, Space
from scripts.dedup.hash_space import NearPairs
from scripts.dedup.hashing import ROLES

COMPARE_ALL, SAMPLE = 20_000, 5_000  # of more kept frames than the first, only a sample of this size is compared
PAIRS_SHOWN = 12  # of each kind
PAIRS_AT_ONCE = 2_000_000  # of hashes, compared in memory
NO_PAIR = 255  # the distance if there is no other frame


class ShownPair(TypedDict):
    """Two frames (video/frame), the roles of the hashes that matched, and their distance."""

    frames: list[str]
    roles: list[str]
    distance_bits: int


class Distances(TypedDict):
    """The content of distances.json: numbers of frames, and examples. Kinds: dropped, told_apart, kept.

    `roles` counts dropped frames by the role of their own hash and that of the representative. `counts` has, by kind,
    the number of frames at each distance in bits. `lone` frames have no comparable hash in any other kept frame.
    """

    max_distance_bits: int
    kept: int
    looked_up: int
    lone: int
    within_video: int
    of_another_video: int
    roles: list[tuple[str, str, int]]
    counts: dict[str, list[int]]
    pairs: dict[str, list[ShownPair]]


@dataclass(frozen=True)
class Search:
    """A search for copies: `query` hashes among `known` hashes within a distance, and a check of the objects."""

    query: Hashes
    known: Hashes
    space: Space
    max_distance_bits: int
    check: Check


@dataclass(frozen=True)
class FramePairs:
    """Pairs of a later and an earlier frame, their distances, and the roles of the two hashes."""

    later: np.ndarray
    earlier: np.ndarray
    bits: np.ndarray
    query_roles: np.ndarray
    known_roles: np.ndarray

    def where(self, chosen: np.ndarray) -> "FramePairs":
        """Return the pairs chosen by a mask or by numbers."""
        return FramePairs(*(column[chosen] for column in vars(self).values()))


def measure_distances(frames: Sequence[str], search: Search, groups: Groups) -> Distances:
    """Count distances below and above the limit of copies, and choose the pairs that are closest to it.

    `frames` are named video/frame. A dropped frame counts with the distance to its representative, a kept one with the
    distance to the nearest other kept frame. That is within the limit only if the check found other objects.
    """
    kept = groups.representative == np.arange(len(frames))
    compared = sample_of(np.flatnonzero(kept))
    nearest = nearest_kept(search, kept, compared)
    near = nearest.bits <= search.max_distance_bits
    copies = dropped_pairs(search, groups)
    kinds = {"dropped": copies, "told_apart": nearest.where(near), "kept": nearest.where(~near)}
    closeness = {"dropped": -copies.bits, "told_apart": kinds["told_apart"].bits, "kept": kinds["kept"].bits}
    videos = [name.rsplit("/", 1)[0] for name in frames]
    within = sum(videos[a] == videos[b] for a, b in zip(copies.later, copies.earlier, strict=True))
    roles = Counter(zip(copies.query_roles.tolist(), copies.known_roles.tolist(), strict=True))
    return {
        "max_distance_bits": search.max_distance_bits,
        "kept": int(kept.sum()),
        "looked_up": len(compared),
        "lone": len(compared) - len(nearest.bits),
        "within_video": within,
        "of_another_video": len(copies.bits) - within,
        "roles": [(ROLES[own], ROLES[other], n) for (own, other), n in sorted(roles.items())],
        "counts": {kind: np.bincount(pairs.bits).tolist() for kind, pairs in kinds.items()},
        "pairs": {kind: list(_closest(pairs, closeness[kind], frames, videos)) for kind, pairs in kinds.items()},
    }


def sample_of(kept: np.ndarray) -> np.ndarray:
    """Return the frames to compare: all, or a random sample so that it takes about a minute at most."""
    if len(kept) <= COMPARE_ALL:
        return kept
    chosen: np.ndarray = np.sort(np.random.default_rng(0).choice(kept, SAMPLE, replace=False))
    return chosen


def nearest_kept(search: Search, kept: np.ndarray, compared: np.ndarray) -> FramePairs:
    """Pair each of the compared frames with the nearest other kept frame; omit frames that have none.

    The later frame of a pair gives the query hash and the earlier one the known hash, as in the search for copies.
    """
    kinds = [(search.query.where(q), search.known.where(k)) for q, k in _by_inner_crop(search)]
    parts = [_nearest_among(query, known, search.space, kept, compared) for query, known in kinds]
    both = FramePairs(*map(np.concatenate, zip(*(vars(part).values() for part, _ in parts), strict=True)))
    frames = np.concatenate([owners for _, owners in parts])
    others = np.where(both.later == frames, both.earlier, both.later)
    rank = np.lexsort((both.known_roles, both.query_roles, others, both.bits, frames))
    return both.where(rank[np.unique(frames[rank], return_index=True)[1]])


def _by_inner_crop(search: Search) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return masks of the query and the known hashes: first without inner crops, then only inner crops."""
    return [(search.query.is_inner_crop == kind, search.known.is_inner_crop == kind) for kind in (False, True)]


def _nearest_among(
    query: Hashes, known: Hashes, space: Space, kept: np.ndarray, compared: np.ndarray
) -> tuple[FramePairs, np.ndarray]:
    """Pair the compared frames with their nearest earlier and later frames; return also which frame was compared."""
    is_compared = np.zeros(len(kept), bool)
    is_compared[compared] = True
    query, known = _of_frames(query, kept), _of_frames(known, kept)
    own_query, own_known = _of_frames(query, is_compared), _of_frames(known, is_compared)
    ends = np.searchsorted(known.owners, own_query.owners, "left")
    to_earlier = _pairs(own_query, known, *nearest(space, own_query.codes, known.codes, np.zeros_like(ends), ends))
    starts = np.searchsorted(query.owners, own_known.owners, "right")
    known_at, query_at, bits = nearest(
        space, own_known.codes, query.codes, starts, np.full_like(starts, len(query.codes))
    )
    to_later = _pairs(query, own_known, query_at, known_at, bits)
    columns = zip(vars(to_earlier).values(), vars(to_later).values(), strict=True)
    both = FramePairs(*map(np.concatenate, columns))
    return both, np.concatenate([to_earlier.later, to_later.earlier])


def nearest(space: Space, query: np.ndarray, known: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> NearPairs:
    """Pair each query hash with the nearest known hash from its start to before its end, if there is one.

    It compares all, so it needs no largest distance and is exact. It takes no longer if thousands of frames of a fixed
    camera are near each other.
    """
    bits, known_at = np.full(len(query), NO_PAIR, np.int64), np.zeros(len(query), np.int64)
    step = max(1, PAIRS_AT_ONCE // max(1, len(known)))
    for first in range(0, len(query), step):
        rows = slice(first, first + step)
        low, high = int(starts[rows].min()), int(ends[rows].max())
        if low >= high:
            continue
        places = np.arange(low, high)
        found = space.distances(query[rows], known[low:high])
        found[(places < starts[rows, None]) | (places >= ends[rows, None])] = NO_PAIR
        best = found.argmin(axis=1)
        bits[rows], known_at[rows] = found[np.arange(len(best)), best], best + low
    query_at = np.flatnonzero(bits < NO_PAIR)
    return query_at, known_at[query_at], bits[query_at]


def dropped_pairs(search: Search, groups: Groups) -> FramePairs:
    """Pair each dropped frame with its representative."""
    dropped = np.flatnonzero(groups.matched >= 0)
    query_at, earlier = groups.matched[dropped], groups.representative[dropped]
    bits = groups.distance_bits[dropped]
    rows = zip(dropped.tolist(), query_at.tolist(), earlier.tolist(), bits.tolist(), strict=True)
    known_at = [_matched_hash(search, *row) for row in rows]
    return _pairs(search.query, search.known, query_at, np.array(known_at, np.int64), bits)


def _matched_hash(search: Search, later: int, query_at: int, earlier: int, bits: int) -> int:
    """Return which hash of the earlier frame matched: the first at this distance that passes the check."""
    known = search.known.of(earlier, earlier + 1)
    own = slice(query_at, query_at + 1)
    equal_bits = search.space.distances(search.query.codes[own], search.known.codes[known])[0] == bits
    same_kind = search.known.is_inner_crop[known] == search.query.is_inner_crop[query_at]
    *others, last = map(int, np.flatnonzero(equal_bits & same_kind) + known.start)
    return next((at for at in others if search.check(later, query_at, earlier, at)), last)


def _pairs(query: Hashes, known: Hashes, query_at: np.ndarray, known_at: np.ndarray, bits: np.ndarray) -> FramePairs:
    return FramePairs(
        query.owners[query_at], known.owners[known_at], bits, query.roles[query_at], known.roles[known_at]
    )


def _of_frames(hashes: Hashes, frames: np.ndarray) -> Hashes:
    chosen = frames[hashes.owners]
    return Hashes(hashes.codes[chosen], hashes.owners[chosen], hashes.roles[chosen])


def _closest(
    pairs: FramePairs, closeness: np.ndarray, frames: Sequence[str], videos: Sequence[str]
) -> Iterator[ShownPair]:
    """Yield the closest pairs, each once; among equally close pairs, take turns between pairs of videos."""
    if len(closeness) > 2 * PAIRS_SHOWN:  # each pair is there up to twice
        inside = closeness <= np.partition(closeness, 2 * PAIRS_SHOWN)[2 * PAIRS_SHOWN]
        pairs, closeness = pairs.where(inside), closeness[inside]
    rows = sorted(set(zip(closeness.tolist(), *(column.tolist() for column in vars(pairs).values()), strict=True)))
    turns: Counter[tuple[int, str, str]] = Counter()
    ranked = []
    for close, later, earlier, bits, query_role, known_role in rows:
        key = (close, videos[later], videos[earlier])
        ranked.append((close, turns[key], later, earlier, bits, query_role, known_role))
        turns[key] += 1
    for _, _, later, earlier, bits, query_role, known_role in sorted(ranked)[:PAIRS_SHOWN]:
        yield {
            "frames": [frames[later], frames[earlier]],
            "roles": [ROLES[query_role], ROLES[known_role]],
            "distance_bits": bits,
        }
