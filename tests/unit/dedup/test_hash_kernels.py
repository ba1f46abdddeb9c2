"""The machine code finds the pairs that comparing all hashes with all finds."""

import numpy as np
import pytest

from scripts.dedup import hash_space
from scripts.dedup.hash_kernels import scan
from scripts.dedup.hash_space import all_pairs
from tests._hashed import near_pairs


def test_hashes_with_more_neighbours_than_are_stored_keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_space, "SMALL", 0)
    crowd = np.arange(500, dtype=np.uint64)
    found = sorted(zip(*(column.tolist() for column in all_pairs(crowd, crowd, 4)), strict=True))
    assert found == near_pairs(crowd, crowd, 4) and len(found) > 100 * hash_space.NEIGHBOURS


def test_a_full_row_of_neighbours_still_counts_all() -> None:
    crowd = np.arange(8, dtype=np.uint64)
    neighbours = np.full((8, 2), -1)
    assert scan(crowd, crowd, np.uint64(1), neighbours).tolist() == [4] * 8
    assert neighbours[7].tolist() == [3, 5]
