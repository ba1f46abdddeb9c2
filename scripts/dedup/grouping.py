"""Group frames: one kept frame represents all others of its group, each a near copy of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scripts.dedup.features import Hashes
from scripts.dedup.hash_space import NearPairs

BLOCK = 8192  # frames per query of the index
CHUNK = 512  # frames that are compared with one another before the next ones are

# (later frame, position of its query hash, earlier frame, position of its known hash) -> whether they are copies
Check = Callable[[int, int, int, int], bool]


class Index(Protocol):
    """A growing set of features, numbered in the order of their arrival."""

    def add(self, features: np.ndarray) -> None:
        """Add features."""

    def pairs(self, query: np.ndarray) -> NearPairs:
        """Return positions of query features, numbers of the known features within the distance, and the distances."""


class Space(Protocol):
    """A distance between features of frames, which are hashes or vectors."""

    def index(self) -> Index:
        """Return an empty index."""

    def pairs(self, query: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of query and of known features within the distance, and the distances."""

    def distances(self, query: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each query feature to each known feature."""


@dataclass(frozen=True)
class Groups:
    """Per frame: its representative (itself if kept), the distance to it, and the hash that matched."""

    representative: np.ndarray
    distance_bits: np.ndarray
    matched: np.ndarray  # position of the frame's own hash; -1 if kept
    near_misses: dict[int, dict[int, int]]  # per kept frame, by video, a near kept frame that failed the check


def group_frames(query: Hashes, known: Hashes, videos: np.ndarray, space: Space, check: Check) -> Groups:
    """Keep a frame unless an earlier kept frame is near and passes the check; else assign it to the nearest such frame.

    The distance of two frames is the smallest one in `space` between any `query` hash of the later frame and any
    `known` hash of the earlier frame. Frames are assigned greedily and only to kept frames, so no chains form. Every
    pair with a kept frame within the distance is compared. `videos` holds the number of each frame's video.
    """
    count = len(videos)
    groups = Groups(np.arange(count), np.zeros(count, np.int64), np.full(count, -1, np.int64), {})
    index, indexed = space.index(), _GrowingArray()
    for start in range(0, count, BLOCK):
        block = query.of(start, start + BLOCK)
        older = _Candidates(*index.pairs(query.codes[block])).shifted(block.start, indexed.values)
        fresh = np.empty(0, np.int64)
        for first in range(start, min(start + BLOCK, count), CHUNK):
            own, others = query.of(first, first + CHUNK), known.of(first, first + CHUNK)
            recent = np.concatenate([fresh, np.arange(others.start, others.stop)])
            pairs = _Candidates(*space.pairs(query.codes[own], known.codes[recent])).shifted(own.start, recent)
            candidates = older.between(own.start, own.stop).with_more(pairs)
            _assign(groups, candidates.ranked(query, known), videos, check)
            kept = groups.representative[known.owners[others]] == known.owners[others]
            fresh = np.concatenate([fresh, np.arange(others.start, others.stop)[kept]])
        index.add(known.codes[fresh])
        indexed.add(fresh)
    return groups


@dataclass(frozen=True)
class _Candidates:
    """Positions of query hashes (ascending), of known hashes within the distance, and the distances."""

    query_at: np.ndarray
    known_at: np.ndarray
    bits: np.ndarray

    def shifted(self, first: int, positions: np.ndarray) -> "_Candidates":
        """Return them with positions among all query and all known hashes, sorted by the query hash."""
        rank = np.argsort(self.query_at, kind="stable")
        return _Candidates(self.query_at[rank] + first, positions[self.known_at[rank]], self.bits[rank])

    def between(self, first: int, last: int) -> "_Candidates":
        """Return those of query hashes first to last - 1."""
        low, high = np.searchsorted(self.query_at, (first, last))
        return _Candidates(self.query_at[low:high], self.known_at[low:high], self.bits[low:high])

    def with_more(self, others: "_Candidates") -> "_Candidates":
        """Return these and others."""
        return _Candidates(*(np.concatenate(c) for c in zip(vars(self).values(), vars(others).values(), strict=True)))

    def ranked(self, query: Hashes, known: Hashes) -> Iterable[tuple[int, ...]]:
        """Return later frame, earlier frame, distance and hashes of each comparable pair, the nearest first."""
        later, earlier = query.owners[self.query_at], known.owners[self.known_at]
        same_kind = query.is_inner_crop[self.query_at] == known.is_inner_crop[self.known_at]
        comparable = (earlier < later) & same_kind
        rank = np.lexsort((self.known_at, self.query_at, earlier, self.bits, later))
        rank = rank[comparable[rank]]
        columns = (later, earlier, self.bits, self.query_at, self.known_at)
        return zip(*(column[rank].tolist() for column in columns), strict=True)


def _assign(groups: Groups, candidates: Iterable[tuple[int, ...]], videos: np.ndarray, check: Check) -> None:
    """Assign each frame to its nearest candidate that is kept and passes the check, and record near misses."""
    for later, earlier, bits, query_at, known_at in candidates:
        if groups.representative[later] != later or groups.representative[earlier] != earlier:
            continue
        if check(later, query_at, earlier, known_at):
            groups.representative[later], groups.distance_bits[later] = earlier, bits
            groups.matched[later] = query_at
            groups.near_misses.pop(later, None)
        elif videos[later] != videos[earlier]:
            groups.near_misses.setdefault(later, {}).setdefault(int(videos[earlier]), earlier)


class _GrowingArray:
    """An array that grows at its end."""

    def __init__(self) -> None:
        self._buffer, self._count = np.empty(1024, np.int64), 0

    @property
    def values(self) -> np.ndarray:
        return self._buffer[: self._count]

    def add(self, more: np.ndarray) -> None:
        """Append numbers."""
        if self._count + len(more) > len(self._buffer):
            self._buffer = np.concatenate([self._buffer, np.empty(len(self._buffer) + len(more), np.int64)])
        self._buffer[self._count : self._count + len(more)] = more
        self._count += len(more)
