"""Each near vector is found, distances are angles in bits, and the order of summing does not change them."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dedup.hash_space import HashSpace
from scripts.dedup.vector_space import STEPS, VectorSpace
from scripts.frames.phash import HASH_BITS
from tests._hashed import cone

Found = list[tuple[int, int, int]]


def brute(query: np.ndarray, known: np.ndarray, limit: int) -> Found:
    """Compare each with each in whole numbers of any size, and angles in Python's floats."""
    found = []
    a, b = ([[round(float(x) * STEPS) for x in v] for v in vectors] for vectors in (query, known))
    for i, v in enumerate(a):
        for k, w in enumerate(b):
            product = sum(x * y for x, y in zip(v, w, strict=True))
            cosine = product / (math.sqrt(sum(x * x for x in v)) * math.sqrt(sum(y * y for y in w)))
            bits = round(HASH_BITS * math.acos(max(-1.0, min(1.0, cosine))) / math.pi)
            found += [(i, k, bits)] if bits <= limit else []
    return found


def listed(pairs: tuple[np.ndarray, ...]) -> Found:
    return sorted(zip(*(column.tolist() for column in pairs), strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(0, 30), st.floats(0.01, 3), st.integers(0, 32))
def test_the_space_finds_what_comparing_all_finds(
    seed: int, query_count: int, known_count: int, spread: float, limit: int
) -> None:
    vectors = cone(seed, query_count + known_count, spread)
    query, known = vectors[:query_count], vectors[query_count:]
    wanted = brute(query, known, limit)
    space = VectorSpace(limit)
    assert listed(space.pairs(query, known)) == wanted
    index = space.index()
    for first in range(0, known_count, 7):
        index.add(known[first : first + 7])
    assert listed(index.pairs(query)) == wanted


def test_products_are_the_same_in_any_order_of_summing() -> None:
    vectors = cone(0, 40, 1.0, size=768)
    shuffled = vectors[:, np.random.default_rng(1).permutation(768)]
    space = VectorSpace(32)
    one, other = (space.pairs(v, v) for v in (vectors, shuffled))
    assert listed(one) == listed(other) and len(one[0]) > 40
    assert np.abs(vectors.astype(np.float64) * STEPS - np.rint(vectors.astype(np.float64) * STEPS)).max() == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 2))
def test_a_distance_is_the_mean_distance_of_hashes_by_random_planes(seed: int, spread: float) -> None:
    a, b = cone(seed, 2, spread)
    planes = np.random.default_rng(seed).standard_normal((20_000, len(a)))
    share = float(((planes @ a > 0) != (planes @ b > 0)).mean())
    bits = [(0, 0, round(HASH_BITS * share))]
    found = listed(VectorSpace(32).pairs(a[None], b[None]))
    assert (found == []) or abs(found[0][2] - bits[0][2]) <= 1
    assert found or bits[0][2] >= 31


def test_empty_indexes_of_hashes_and_vectors_find_nothing() -> None:
    for space, features in ((HashSpace(4), np.arange(3, dtype=np.uint64)), (VectorSpace(4), cone(0, 3, 1.0))):
        index = space.index()
        assert listed(index.pairs(features)) == []
        index.add(features[:0])
        assert listed(index.pairs(features)) == listed(space.pairs(features, features[:0])) == []
