"""Find all hashes within a Hamming distance, exactly: by numbered parts of 16 bits, or by looking at every one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

BITS, PARTS = 16, 4  # of a 64-bit hash
SMALL = 2_000_000  # pairs that NumPy compares sooner than machine code is compiled
FRESH, MIDDLE = 1024, 131_072  # hashes in the unsorted and in the smaller sorted level of an index
ROOM = 64  # neighbours of a hash that are noted at once; the few hashes with more are looked up again

NearPairs = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions of asked and of known hashes, and their distances


@cache
def flips(max_bits: int) -> np.ndarray:
    """Return all 16-bit masks with up to so many bits set, the fewest first."""
    chosen = (c for count in range(max_bits + 1) for c in itertools.combinations(range(BITS), count))
    return np.array([sum(1 << bit for bit in c) for c in chosen], np.uint64)


def all_pairs(asked: np.ndarray, known: np.ndarray, max_distance_bits: int) -> NearPairs:
    """Return the pairs of asked and known hashes within the distance, comparing each with each."""
    if len(asked) * len(known) > SMALL:
        from scripts.dedup.hash_kernels import scan

        return _noted(scan, asked, known, max_distance_bits, (known, np.uint64(max_distance_bits)))
    bits = np.bitwise_count(asked[:, None] ^ known[None, :])
    at, of = np.nonzero(bits <= max_distance_bits)
    return at, of, bits[at, of].astype(np.int64)


@dataclass
class _Sorted:
    """Hashes sorted by each of their four parts, so that those with a given part lie together."""

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

    def pairs(self, asked: np.ndarray, max_distance_bits: int) -> NearPairs:
        from scripts.dedup.hash_kernels import probe

        # Two hashes within the distance agree in one part but for a quarter of it (pigeonhole; Norouzi et al. 2012).
        masks = flips(max_distance_bits // PARTS)
        rank = np.stack([np.argsort(part, kind="stable") for part in parts_of(asked)])
        data = (rank, self.codes, self.starts, self.order, masks, np.uint64(max_distance_bits))
        return _noted(probe, asked, self.whole, max_distance_bits, data)


def parts_of(codes: np.ndarray) -> list[np.ndarray]:
    """Return the four parts of each hash."""
    return [(codes >> np.uint64(BITS * part)).astype(np.uint16) for part in range(PARTS)]


@dataclass
class NearHashes:
    """A growing set of 64-bit hashes that answers which of them are within a distance; nothing is missed."""

    max_distance_bits: int
    _levels: list[np.ndarray] = field(default_factory=lambda: [np.empty(0, np.uint64) for _ in range(3)])
    _sorted: dict[int, _Sorted] = field(default_factory=dict)

    def add(self, hashes: np.ndarray) -> None:
        """Add hashes; they are numbered in the order in which they come."""
        big, middle, fresh = self._levels
        fresh = np.concatenate([fresh, hashes])
        if len(fresh) > FRESH:
            middle, fresh = np.concatenate([middle, fresh]), fresh[:0]
            self._sorted.pop(1, None)
        if len(middle) > MIDDLE:
            big, middle = np.concatenate([big, middle]), middle[:0]
            self._sorted.clear()
        self._levels = [big, middle, fresh]

    def pairs(self, asked: np.ndarray) -> NearPairs:
        """Return positions of the asked, numbers of the known within the distance, and the distances."""
        found, first = [], 0
        for level, known in enumerate(self._levels):
            if len(known):
                at, of, bits = self._in_level(level, known, asked)
                found.append((at, of + first, bits))
            first += len(known)
        if not found:
            return (np.empty(0, np.int64),) * 3
        at, of, bits = (np.concatenate(column) for column in zip(*found, strict=True))
        return at, of, bits

    def _in_level(self, level: int, known: np.ndarray, asked: np.ndarray) -> NearPairs:
        looked_up = PARTS * len(flips(self.max_distance_bits // PARTS)) * 8  # a jump costs as much as 8 comparisons
        if level == 2 or looked_up > len(known):
            return all_pairs(asked, known, self.max_distance_bits)
        if level not in self._sorted:
            self._sorted[level] = _Sorted.of(known)
        return self._sorted[level].pairs(asked, self.max_distance_bits)


@dataclass(frozen=True)
class HashSpace:
    """64-bit hashes, near to each other if few of their bits differ."""

    max_distance_bits: int

    def index(self) -> NearHashes:
        """Return an empty index."""
        return NearHashes(self.max_distance_bits)

    def pairs(self, asked: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of asked and of known hashes within the distance, and the distances."""
        return all_pairs(asked, known, self.max_distance_bits)

    def distances(self, asked: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each asked to each known hash."""
        bits: np.ndarray = np.bitwise_count(asked[:, None] ^ known[None, :])
        return bits


def _noted(
    kernel: Callable[..., np.ndarray],
    asked: np.ndarray,
    known: np.ndarray,
    max_distance_bits: int,
    data: tuple[object, ...],
) -> NearPairs:
    """Run a kernel that notes up to ROOM neighbours of each hash, and look again at hashes that have more."""
    noted = np.empty((len(asked), ROOM), np.int64)
    counts = kernel(asked, *data, noted)
    all_noted = np.where(counts <= ROOM, counts, 0)
    ats = [np.repeat(np.arange(len(asked)), all_noted)]
    ofs = [noted[np.arange(ROOM) < all_noted[:, None]]]
    for i in np.flatnonzero(counts > ROOM):
        near = np.flatnonzero(np.bitwise_count(known ^ asked[i]) <= max_distance_bits)
        ats.append(np.full(len(near), i))
        ofs.append(near)
    at, of = np.concatenate(ats), np.concatenate(ofs)
    return at, of, np.bitwise_count(asked[at] ^ known[of]).astype(np.int64)
