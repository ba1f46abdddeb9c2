"""Measure how close the pictures of different splits come to each other, by their 64-bit hashes."""

import logging
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.inputs.videos import SPLITS

HASH_BITS = 64
NAIVE_TEST_FRAMES = 10_000  # so many of a naive split's test frames are looked up: a share, not a proof

HashArray = npt.NDArray[np.uint64]


def closest_pairs(hashes: Mapping[str, int], splits: Mapping[str, str], max_distance_bits: int) -> list[dict[str, Any]]:
    """Return for each two splits with images their closest images, and how many pairs are within the distance.

    Both mappings are by file name; every image of the smaller split is compared with all of the larger one.
    """
    files = {split: sorted(file for file in hashes if splits[file] == split) for split in SPLITS}
    values = {split: np.array([hashes[file] for file in names], np.uint64) for split, names in files.items()}
    found = []
    for pair in combinations([split for split in SPLITS if files[split]], 2):
        few, many = sorted(pair, key=lambda split: len(files[split]))
        bits = nearest_bits(values[few], values[many])
        i = int(bits.argmin())
        j = int(np.bitwise_count(values[many] ^ values[few][i]).argmin())  # the first of equals, whatever faiss took
        file_of = {few: files[few][i], many: files[many][j]}
        found.append(
            {
                "splits": list(pair),
                "files": [file_of[split] for split in pair],
                "distance_bits": int(bits[i]),
                "pairs_within": count_within(values[few][bits <= max_distance_bits], values[many], max_distance_bits),
            }
        )
    return found


def nearest_bits(queries: HashArray, others: HashArray) -> npt.NDArray[np.int32]:
    """Return the distance of each hash to the nearest of the others, exactly."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it reports each build of itself that it looks for
    import faiss

    faiss.omp_set_num_threads(1)  # its threads wait for each other where other jobs run: 3.0 s instead of 0.4
    index = faiss.IndexBinaryFlat(HASH_BITS)
    index.add(_as_bytes(others))
    distances, _ = index.search(_as_bytes(queries), 1)
    nearest: npt.NDArray[np.int32] = distances[:, 0]
    return nearest


def count_within(queries: HashArray, others: HashArray, max_distance_bits: int) -> int:
    """Return how many pairs are within the distance."""
    return sum(int((np.bitwise_count(others ^ query) <= max_distance_bits).sum()) for query in queries)


def naive_leak(
    hashes: Mapping[str, int], shares: Mapping[str, float], seed: int, max_distance_bits: int
) -> dict[str, Any]:
    """Return what a random split of these frames would leak: the share of test frames with a copy in train."""
    frames = sorted(hashes)
    order = np.random.default_rng(seed).permutation(len(frames))
    values = np.array([hashes[frame] for frame in frames], np.uint64)[order]
    n_train, n_test = round(shares["train"] * len(frames)), round(shares["test"] * len(frames))
    train, test = values[:n_train], values[n_train:][: min(n_test, NAIVE_TEST_FRAMES)]
    leaked = int((nearest_bits(test, train) <= max_distance_bits).sum()) if len(train) and len(test) else 0
    share = round(leaked / len(test), 4) if len(train) and len(test) else None
    return {"frames": len(frames), "test_frames": len(test), "leaked": leaked, "share": share}


def _as_bytes(hashes: HashArray) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, HASH_BITS // 8)
