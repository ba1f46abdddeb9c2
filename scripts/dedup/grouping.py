"""Group pictures into stars: a kept one, and others that are each a near copy of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scripts.dedup.features import Hashes
from scripts.dedup.hash_space import NearPairs

BLOCK = 8192  # pictures that are looked up in the index at once
CHUNK = 512  # pictures that are compared with one another before the next ones are

# (newcomer, hash of it, kept picture, hash of that one) -> whether they truly show the same
Check = Callable[[int, int, int, int], bool]


class Index(Protocol):
    """A growing set of features, numbered in the order in which they come."""

    def add(self, features: np.ndarray) -> None:
        """Add features."""

    def pairs(self, asked: np.ndarray) -> NearPairs:
        """Return positions of the asked, numbers of the known within the distance, and the distances."""


class Space(Protocol):
    """What features of pictures are near to each other: hashes, or vectors."""

    def index(self) -> Index:
        """Return an empty index."""

    def pairs(self, asked: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of asked and of known features within the distance, and the distances."""

    def distances(self, asked: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each asked to each known feature."""


@dataclass(frozen=True)
class Groups:
    """Per picture: the kept one that it falls to (itself, if kept), their distance, and the hashes that met."""

    star: np.ndarray
    distance_bits: np.ndarray
    asked: np.ndarray  # position of the picture's own hash; -1 if kept
    near_misses: dict[int, dict[int, int]]  # per kept picture, by source, a near kept one that failed the check


def group_frames(asked: Hashes, known: Hashes, sources: np.ndarray, space: Space, check: Check) -> Groups:
    """Keep a picture unless a kept one before it is near and passes the check; else it falls to the nearest such.

    The distance of two pictures is the smallest between any `asked` hash of the later and any `known` one of the
    earlier, as `space` measures it. Greedy stars, no chains; every pair with a kept picture within its distance is
    looked at. `sources` tells which pictures come from one video.
    """
    count = len(sources)
    found = Groups(np.arange(count), np.zeros(count, np.int64), np.full(count, -1, np.int64), {})
    index, kept_hashes = space.index(), _Growing()
    for start in range(0, count, BLOCK):
        block = asked.of(start, start + BLOCK)
        older = _Candidates(*index.pairs(asked.codes[block])).shifted(block.start, kept_hashes.positions)
        fresh = np.empty(0, np.int64)
        for first in range(start, min(start + BLOCK, count), CHUNK):
            mine, others = asked.of(first, first + CHUNK), known.of(first, first + CHUNK)
            recent = np.concatenate([fresh, np.arange(others.start, others.stop)])
            pairs = _Candidates(*space.pairs(asked.codes[mine], known.codes[recent])).shifted(mine.start, recent)
            near = older.between(mine.start, mine.stop).with_more(pairs)
            _settle(found, near.ranked(asked, known), sources, check)
            kept = found.star[known.owners[others]] == known.owners[others]
            fresh = np.concatenate([fresh, np.arange(others.start, others.stop)[kept]])
        index.add(known.codes[fresh])
        kept_hashes.add(fresh)
    return found


@dataclass(frozen=True)
class _Candidates:
    """Positions of asked hashes (ascending), of known ones within the distance, and the distances."""

    at: np.ndarray
    of: np.ndarray
    bits: np.ndarray

    def shifted(self, first: int, positions: np.ndarray) -> "_Candidates":
        """Return them with positions among all asked and all known hashes, sorted by the former."""
        rank = np.argsort(self.at, kind="stable")
        return _Candidates(self.at[rank] + first, positions[self.of[rank]], self.bits[rank])

    def between(self, first: int, last: int) -> "_Candidates":
        """Return those of asked hashes first to last - 1."""
        low, high = np.searchsorted(self.at, (first, last))
        return _Candidates(self.at[low:high], self.of[low:high], self.bits[low:high])

    def with_more(self, others: "_Candidates") -> "_Candidates":
        """Return these and others."""
        return _Candidates(*(np.concatenate(c) for c in zip(vars(self).values(), vars(others).values(), strict=True)))

    def ranked(self, asked: Hashes, known: Hashes) -> Iterable[tuple[int, ...]]:
        """Return newcomer, earlier picture, distance and hashes of pairs that may meet, the nearest first."""
        newcomer, before = asked.owners[self.at], known.owners[self.of]
        fits = (before < newcomer) & (asked.inner[self.at] == known.inner[self.of])
        rank = np.lexsort((self.of, self.at, before, self.bits, newcomer))
        rank = rank[fits[rank]]
        columns = (newcomer, before, self.bits, self.at, self.of)
        return zip(*(column[rank].tolist() for column in columns), strict=True)


def _settle(found: Groups, near: Iterable[tuple[int, ...]], sources: np.ndarray, check: Check) -> None:
    """Let each newcomer fall to the first of its candidates, the nearest first, that is kept and passes the check."""
    for n, before, bits, asked, known in near:
        if found.star[n] != n or found.star[before] != before:
            continue
        if check(n, asked, before, known):
            found.star[n], found.distance_bits[n], found.asked[n] = before, bits, asked
            found.near_misses.pop(n, None)
        elif sources[n] != sources[before]:
            found.near_misses.setdefault(n, {}).setdefault(int(sources[before]), before)


class _Growing:
    """An array that grows at its end."""

    def __init__(self) -> None:
        self._room, self._count = np.empty(1024, np.int64), 0

    @property
    def positions(self) -> np.ndarray:
        return self._room[: self._count]

    def add(self, more: np.ndarray) -> None:
        """Append numbers."""
        if self._count + len(more) > len(self._room):
            self._room = np.concatenate([self._room, np.empty(len(self._room) + len(more), np.int64)])
        self._room[self._count : self._count + len(more)] = more
        self._count += len(more)
