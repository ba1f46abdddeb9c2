"""No near hash is missed, whichever way is taken, and none is found twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dedup import hash_space
from scripts.dedup.hash_space import NearHashes, all_pairs, flips
from tests._hashed import near_pairs


def near_copies(rng: np.random.Generator, count: int, most: int) -> np.ndarray:
    """Return random hashes, of which half are others with a few bits changed."""
    hashes = rng.integers(2**64, size=count, dtype=np.uint64)
    for i in range(count // 2, count):
        changed = rng.choice(64, int(rng.integers(0, most + 1)), replace=False)
        hashes[i] = hashes[int(rng.integers(count // 2))] ^ np.uint64(sum(1 << int(bit) for bit in changed))
    return rng.permutation(hashes)


@pytest.mark.parametrize("limit", [0, 3, 4, 8, 11, 12])
def test_the_index_finds_what_comparing_all_finds(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_space, "SMALL", 0)
    monkeypatch.setattr(hash_space, "FRESH", 200)
    monkeypatch.setattr(hash_space, "MIDDLE", 1500)
    hashes = near_copies(np.random.default_rng(limit), 6000, limit + 2)
    query, known = hashes[:500], hashes[500:]
    index = NearHashes(limit)
    for start in range(0, len(known), 170):
        index.add(known[start : start + 170])
    found = sorted(zip(*(column.tolist() for column in index.pairs(query)), strict=True))
    assert found == near_pairs(query, known, limit) and len(found) > 40


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.lists(st.integers(0, 2**64 - 1), max_size=40))
def test_few_hashes_are_compared_without_machine_code(query: list[int], known: list[int]) -> None:
    a, b = np.array(query, np.uint64), np.array(known, np.uint64)
    assert sorted(zip(*(c.tolist() for c in all_pairs(a, b, 20)), strict=True)) == near_pairs(a, b, 20)


def test_masks_are_all_ways_to_flip_up_to_two_bits() -> None:
    assert len(set(flips(2).tolist())) == len(flips(2)) == 1 + 16 + 120
    assert max(int(mask).bit_count() for mask in flips(2)) == 2
