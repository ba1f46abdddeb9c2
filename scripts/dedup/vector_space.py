"""Find all feature vectors within an angle, exactly. Distances are in bits, as those of hashes.

A random plane separates two vectors with a probability of angle / pi. Hashes of 64 such planes differ on average in
64 * angle / pi bits: that is the distance.
"""

import logging
from typing import Any

import numpy as np

from scripts.dedup.hash_space import NearPairs
from scripts.frames.phash import HASH_BITS

# Vectors are stored in steps of 1/2048, which float16 holds exactly. In units of a step, all products and their sums
# are whole numbers below 2**24, which float32 holds exactly. So the order in which a library sums does not matter.
STEPS = 2048
SLACK = 0.02 * STEPS**2  # more than rounding to steps adds to a product
VECTOR_ROLES = ("content", "mirror")  # of the two vectors of a frame, see hashing.ROLES


def in_steps(vectors: np.ndarray) -> np.ndarray:
    """Return vectors at unit length, rounded to steps."""
    wide = vectors.astype(np.float64)
    length = np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-12)
    rounded: np.ndarray = (np.rint(wide / length * STEPS) / STEPS + 0.0).astype(np.float16)  # no -0.0
    return rounded


class NearVectors:
    """An index of vectors: it returns all vectors within a distance of a query."""

    def __init__(self, max_distance_bits: int) -> None:
        """Start empty."""
        self._max_distance_bits = max_distance_bits
        self._index: Any = None
        self._lengths = np.empty(0)

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors; they are numbered in the order of their arrival."""
        if not len(vectors):
            return
        if self._index is None:
            logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it logs each build that it tries to load
            import faiss

            faiss.omp_set_num_threads(1)  # its threads wait for each other while other jobs run
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        steps = _steps(vectors)
        self._index.add(steps)
        self._lengths = np.concatenate([self._lengths, _lengths(steps)])

    def pairs(self, query: np.ndarray) -> NearPairs:
        """Return positions of query vectors, numbers of the known vectors within the distance, and the distances."""
        if self._index is None or not len(query):
            return (np.empty(0, np.int64),) * 3
        steps = _steps(query)
        least = STEPS**2 * np.cos((self._max_distance_bits + 0.5) * np.pi / HASH_BITS) - SLACK
        starts, products, known_at = self._index.range_search(steps, float(least))
        query_at = np.repeat(np.arange(len(query)), np.diff(starts.astype(np.int64)))
        cosines = products.astype(np.float64) / (_lengths(steps)[query_at] * self._lengths[known_at])
        bits = _in_bits(cosines)
        near = bits <= self._max_distance_bits
        return query_at[near], known_at[near], bits[near]


class VectorSpace:
    """Feature vectors, compared by the angle between them."""

    def __init__(self, max_distance_bits: int) -> None:
        """Set the largest distance that counts as near."""
        self._max_distance_bits = max_distance_bits

    def index(self) -> NearVectors:
        """Return an empty index."""
        return NearVectors(self._max_distance_bits)

    def pairs(self, query: np.ndarray, known: np.ndarray) -> NearPairs:
        """Return positions of query and of known vectors within the distance, and the distances."""
        index = self.index()
        index.add(known)
        return index.pairs(query)

    def distances(self, query: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the distance of each query vector to each known vector."""
        own, others = _steps(query), _steps(known)
        products = (own @ others.T).astype(np.float64)
        return _in_bits(products / (_lengths(own)[:, None] * _lengths(others)[None, :]))


def _in_bits(cosines: np.ndarray) -> np.ndarray:
    bits: np.ndarray = np.rint(HASH_BITS / np.pi * np.arccos(np.clip(cosines, -1, 1))).astype(np.int64)
    return bits


def _steps(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, np.float32) * np.float32(STEPS)


def _lengths(steps: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.sqrt((steps.astype(np.float64) ** 2).sum(axis=1))
    return lengths
