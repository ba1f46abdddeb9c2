"""Measure the distances between images of different splits, by their 64-bit hashes."""

import logging
from collections.abc import Mapping
from itertools import combinations
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from scripts.frames.phash import HASH_BITS
from scripts.inputs.videos import SPLITS

NAIVE_TEST_FRAMES = 10_000  # at most this many test frames of a random split are compared: an estimate is enough

HashArray = npt.NDArray[np.uint64]


class ClosestPair(TypedDict):
    """The closest images of two splits, and the number of pairs of their images within the distance of copies."""

    splits: list[str]
    files: list[str]
    distance_bits: int
    pairs_within: int


class NaiveLeak(TypedDict):
    """How many test frames of a random split have a copy in train; `share` is None without train or test frames."""

    frames: int
    test_frames: int
    leaked: int
    share: float | None


def closest_pairs(hashes: Mapping[str, int], splits: Mapping[str, str], max_distance_bits: int) -> list[ClosestPair]:
    """Return the closest images of each two splits that have images.

    Both mappings are by file name. Each image of the smaller split is compared with all images of the larger one.
    """
    files = {split: sorted(file for file in hashes if splits[file] == split) for split in SPLITS}
    values = {split: np.array([hashes[file] for file in names], np.uint64) for split, names in files.items()}
    found: list[ClosestPair] = []
    for pair in combinations([split for split in SPLITS if files[split]], 2):
        few, many = sorted(pair, key=lambda split: len(files[split]))
        bits = nearest_bits(values[few], values[many])
        i = int(bits.argmin())
        j = int(np.bitwise_count(values[many] ^ values[few][i]).argmin())  # the first of equals; faiss may take another
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
    """Return the distance of each hash to the nearest other hash."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it logs each build that it tries to load
    import faiss

    faiss.omp_set_num_threads(1)  # its threads wait for each other while other jobs run: 3.0 s instead of 0.4 s
    index = faiss.IndexBinaryFlat(HASH_BITS)
    index.add(_as_bytes(others))
    distances, _ = index.search(_as_bytes(queries), 1)
    nearest: npt.NDArray[np.int32] = distances[:, 0]
    return nearest


def count_within(queries: HashArray, others: HashArray, max_distance_bits: int) -> int:
    """Count the pairs within the distance."""
    return sum(int((np.bitwise_count(others ^ query) <= max_distance_bits).sum()) for query in queries)


def naive_leak(hashes: Mapping[str, int], shares: Mapping[str, float], seed: int, max_distance_bits: int) -> NaiveLeak:
    """Split these frames at random and count the test frames with a copy in train."""
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
