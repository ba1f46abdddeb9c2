"""Find all hashes within a Hamming distance, exactly: by an index of their 16-bit parts, or by comparing all."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

BITS, PARTS = 16, 4  # of a 64-bit hash
SMALL = 2_000_000  # pairs: NumPy compares this many sooner than machine code is compiled
FRESH, MIDDLE = 1024, 131_072  # hashes in the unsorted and in the smaller sorted level of an index
NEIGHBOURS = 64  # stored per hash in the first pass; the few hashes with more are compared again

NearPairs = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions of query and of known hashes, and their distances


@cache
def flips(max_bits: int) -> np.ndarray:
    """Return all 16-bit masks with at most `max_bits` bits set, the fewest first."""
    chosen = (c for count in range(max_bits + 1) for c in itertools.combinations(range(BITS), count))
    return np.array([sum(1 << bit for bit in c) for c in chosen], np.uint64)


def all_pairs(query: np.ndarray, known: np.ndarray, max_distance_bits: int) -> NearPairs:
    """Compare each query hash with each known one; return the pairs within the distance."""
    if len(query) * len(known) > SMALL:
        from scripts.dedup.hash_kernels import scan

        return _run_kernel(scan, query, known, max_distance_bits, (known, np.uint64(max_distance_bits)))
    bits = np.bitwise_count(query[:, None] ^ known[None, :])
    query_at, known_at = np.nonzero(bits <= max_distance_bits)
    return query_at, known_at, bits[query_at, known_at].astype(np.int64)


@dataclass
class _Sorted:
    """Hashes sorted by each of their four parts, so that hashes with an equal part are adjacent."""

    whole: np.ndarray
    codes: np.ndarray
    starts: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> "_Sorted":
        parts = parts_of(codes)
        order = np.stack([np.argsort(part, kind="stable") for part in parts])  # a radix sort, for 16 bits
        counts = np.stack([np.bincount(part, minlength=2**BITS) for part in parts])
        starts = np.zeros((PARTS, 2**BITS + 1), np.int64)
        np.cumsum(counts, axis=1, out=starts[:, 1:])
        return cls(codes, codes[order], starts, order)

    def pairs(self, query: np.ndarray, max_distance_bits: int) -> NearPairs:
        from scripts.dedup.hash_kernels import probe

        # Hashes within the distance differ in one part by at most a quarter of it (pigeonhole; Norouzi et al. 2012).
        masks = flips(max_distance_bits // PARTS)
        rank = np.stack([np.argsort(part, kind="stable") for part in parts_of(query)])
        data = (rank, self.codes, self.starts, self.order, masks, np.uint64(max_distance_bits))
        return _run_kernel(probe, query, self.whole, max_distance_bits, data)


def parts_of(codes: np.ndarray) -> list[np.ndarray]:
    """Return the four parts of each hash."""
    return [(codes >> np.uint64(BITS * part)).astype(np.uint16) for part in range(PARTS)]


@dataclass
class NearHashes:
    """An index of 64-bit hashes: it returns all hashes within a distance of a query."""

    max_distance_bits: int
    _levels: list[np.ndarray] = field(default_factory=lambda: [np.empty(0, np.uint64) for _ in range(3)])
    _sorted: dict[int, _Sorted] = field(default_factory=dict)

    def add(self, hashes: np.ndarray) -> None:
        """Add hashes; they are numbered in the order of their arrival."""
        big, middle, fresh = self._levels
        fresh = np.concatenate([fresh, hashes])
        if len(fresh) > FRESH:
            middle, fresh = np.concatenate([middle, fresh]), fresh[:0]
            self._sorted.pop(1, None)
        if len(middle) > MIDDLE:
            big, middle = np.concatenate([big, middle]), middle[:0]
            self._sorted.clear()
        self._levels = [big, middle, fresh]

    def pairs(self, query: np.ndarray) -> NearPairs:
        """Return positions of query hashes, numbers of the known hashes within the distance, and the distances."""
        found, first = [], 0
        for level, known in enumerate(self._levels):
            if len(known):
                query_at, known_at, bits = self._in_level(level, known, query)
                found.append((query_at, known_at + first, bits))
            first += len(known)
        if not found:
            return (np.empty(0, np.int64),) * 3
        query_at, known_at, bits = (np.concatenate(column) for column in zip(*found, strict=True))
        return query_at, known_at, bits

    def _in_level(self, level: int, known: np.ndarray, query: np.ndarray) -> NearPairs:
        lookup_cost = PARTS * len(flips(self.max_distance_bits // PARTS)) * 8  # a jump costs as much as 8 comparisons
        if level == 2 or lookup_cost > len(known):
            return all_pairs(query, known, self.max_distance_bits)
        if level not in self._sorted:
            self._sorted[level] = _Sorted.of(known)
        return self._sorted[level].pairs(query, self.max_distance_bits)


@dataclass(frozen=True)
class HashSpace:
    """64-bit hashes, compared by the number of bits that differ."""

    max_distance_bits: int

    def index(self) -> NearHashes:
        """Return an empty index."""
        return NearHashes(self.max_distance_bits)

    def pairs(self, query: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of query and of known hashes within the distance, and the distances."""
        return all_pairs(query, known, self.max_distance_bits)

    def distances(self, query: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each query hash to each known hash."""
        bits: np.ndarray = np.bitwise_count(query[:, None] ^ known[None, :])
        return bits


def _run_kernel(
    kernel: Callable[..., np.ndarray],
    query: np.ndarray,
    known: np.ndarray,
    max_distance_bits: int,
    data: tuple[object, ...],
) -> NearPairs:
    """Run a kernel that stores up to NEIGHBOURS of each hash, and compare hashes that have more of them again."""
    neighbours = np.empty((len(query), NEIGHBOURS), np.int64)
    counts = kernel(query, *data, neighbours)
    complete = np.where(counts <= NEIGHBOURS, counts, 0)
    query_parts = [np.repeat(np.arange(len(query)), complete)]
    known_parts = [neighbours[np.arange(NEIGHBOURS) < complete[:, None]]]
    for i in np.flatnonzero(counts > NEIGHBOURS):
        near = np.flatnonzero(np.bitwise_count(known ^ query[i]) <= max_distance_bits)
        query_parts.append(np.full(len(near), i))
        known_parts.append(near)
    query_at, known_at = np.concatenate(query_parts), np.concatenate(known_parts)
    return query_at, known_at, np.bitwise_count(query[query_at] ^ known[known_at]).astype(np.int64)
