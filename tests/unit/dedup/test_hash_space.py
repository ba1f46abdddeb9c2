"""No near hash is missed, whichever way is taken, and none is found twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dedup import hash_space as _near
from scripts.dedup.hash_space import NearHashes, all_pairs, flips


def brute(asked: np.ndarray, known: np.ndarray, limit: int) -> list[tuple[int, int, int]]:
    bits = np.bitwise_count(asked[:, None] ^ known[None, :])
    return [(int(i), int(k), int(bits[i, k])) for i, k in zip(*np.nonzero(bits <= limit), strict=True)]


def near_copies(rng: np.random.Generator, count: int, most: int) -> np.ndarray:
    """Return random hashes, of which half are others with a few bits changed."""
    hashes = rng.integers(2**64, size=count, dtype=np.uint64)
    for i in range(count // 2, count):
        changed = rng.choice(64, int(rng.integers(0, most + 1)), replace=False)
        hashes[i] = hashes[int(rng.integers(count // 2))] ^ np.uint64(sum(1 << int(bit) for bit in changed))
    return rng.permutation(hashes)


@pytest.mark.parametrize("limit", [0, 3, 4, 8, 11, 12])
def test_the_index_finds_what_comparing_all_finds(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_near, "SMALL", 0)
    monkeypatch.setattr(_near, "FRESH", 200)
    monkeypatch.setattr(_near, "MIDDLE", 1500)
    hashes = near_copies(np.random.default_rng(limit), 6000, limit + 2)
    asked, known = hashes[:500], hashes[500:]
    index = NearHashes(limit)
    for start in range(0, len(known), 170):
        index.add(known[start : start + 170])
    found = sorted(zip(*(column.tolist() for column in index.pairs(asked)), strict=True))
    assert found == brute(asked, known, limit) and len(found) > 40


def test_hashes_with_very_many_neighbours_keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_near, "SMALL", 0)
    crowd = np.arange(500, dtype=np.uint64)
    found = sorted(zip(*(column.tolist() for column in all_pairs(crowd, crowd, 4)), strict=True))
    assert found == brute(crowd, crowd, 4) and len(found) > 100 * _near.ROOM


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.lists(st.integers(0, 2**64 - 1), max_size=40))
def test_few_hashes_are_compared_without_machine_code(asked: list[int], known: list[int]) -> None:
    a, b = np.array(asked, np.uint64), np.array(known, np.uint64)
    assert sorted(zip(*(c.tolist() for c in all_pairs(a, b, 20)), strict=True)) == brute(a, b, 20)


def test_masks_are_all_ways_to_change_so_many_bits() -> None:
    assert len(set(flips(2).tolist())) == len(flips(2)) == 1 + 16 + 120
    assert max(int(mask).bit_count() for mask in flips(2)) == 2
