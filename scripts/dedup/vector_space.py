"""Find all pictures whose feature vectors lie within an angle, exactly, on the scale of hashes.

Two unit vectors at an angle lie on different sides of a random plane with a chance of angle / pi, so of 64 such sides,
which is a 64-bit hash, 64 * angle / pi differ on average: that is their distance in bits.
"""

import logging
from typing import Any

import numpy as np

from scripts.dedup.hash_space import NearPairs

HASH_BITS = 64
# Vectors are kept in steps of 1/2048, which float16 holds exactly. In units of a step all products of two, and their
# sums, are whole numbers below 2**24: float32 holds them exactly, in whatever order a library sums.
STEPS = 2048
SLACK = 0.02 * STEPS**2  # more than what rounding to steps adds to a product
VECTOR_ROLES = ("content", "mirror")  # of the two vectors of a frame


def in_steps(vectors: np.ndarray) -> np.ndarray:
    """Return vectors at unit length, rounded to steps."""
    wide = vectors.astype(np.float64)
    length = np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
    rounded: np.ndarray = (np.rint(wide / length * STEPS) / STEPS + 0.0).astype(np.float16)  # no -0.0
    return rounded


class NearVectors:
    """A growing set of vectors that answers which of them are within a distance; nothing is missed."""

    def __init__(self, max_distance_bits: int) -> None:
        """Start empty."""
        self._max_distance_bits = max_distance_bits
        self._index: Any = None
        self._lengths = np.empty(0)

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors; they are numbered in the order in which they come."""
        if not len(vectors):
            return
        if self._index is None:
            logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it reports each build that it looks for
            import faiss

            faiss.omp_set_num_threads(1)  # its threads wait for each other where other jobs run
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        steps = _steps(vectors)
        self._index.add(steps)
        self._lengths = np.concatenate([self._lengths, _lengths(steps)])

    def pairs(self, asked: np.ndarray) -> NearPairs:
        """Return positions of the asked, numbers of the known within the distance, and the distances."""
        if self._index is None or not len(asked):
            return (np.empty(0, np.int64),) * 3
        steps = _steps(asked)
        least = STEPS**2 * np.cos((self._max_distance_bits + 0.5) * np.pi / HASH_BITS) - SLACK
        starts, products, of = self._index.range_search(steps, float(least))
        at = np.repeat(np.arange(len(asked)), np.diff(starts.astype(np.int64)))
        cosines = products.astype(np.float64) / (_lengths(steps)[at] * self._lengths[of])
        bits = _in_bits(cosines)
        near = bits <= self._max_distance_bits
        return at[near], of[near], bits[near]


class VectorSpace:
    """Feature vectors, near to each other if the angle between them is small."""

    def __init__(self, max_distance_bits: int) -> None:
        """Set the largest distance that counts as near."""
        self._max_distance_bits = max_distance_bits

    def index(self) -> NearVectors:
        """Return an empty index."""
        return NearVectors(self._max_distance_bits)

    def pairs(self, asked: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of asked and of known vectors within the distance, and the distances."""
        index = self.index()
        index.add(known)
        return index.pairs(asked)

    def distances(self, asked: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each asked to each known vector."""
        mine, others = _steps(asked), _steps(known)
        products = (mine @ others.T).astype(np.float64)
        return _in_bits(products / (_lengths(mine)[:, None] * _lengths(others)[None, :]))


def _in_bits(cosines: np.ndarray) -> np.ndarray:
    bits: np.ndarray = np.rint(HASH_BITS / np.pi * np.arccos(np.clip(cosines, -1, 1))).astype(np.int64)
    return bits


def _steps(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, np.float32) * np.float32(STEPS)


def _lengths(steps: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.sqrt((steps.astype(np.float64) ** 2).sum(axis=1))
    return lengths
