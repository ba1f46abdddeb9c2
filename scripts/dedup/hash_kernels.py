"""Search for near hashes in machine code. Import it only where there are many hashes, because it compiles."""

from typing import Any

import numba
import numpy as np

STRETCH = 512  # query hashes per thread at a time


@numba.njit(cache=True)
def _ones(value: Any) -> Any:  # LLVM replaces this by the processor's instruction for it
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(cache=True, parallel=True)
def scan(query: Any, known: Any, most: Any, neighbours: Any) -> Any:
    """Compare each query hash with each known one: write positions into `neighbours`, return their counts."""
    counts = np.zeros(len(query), np.int64)
    for i in numba.prange(len(query)):
        mine, count = query[i], 0
        for k in range(len(known)):
            if _ones(mine ^ known[k]) <= most:
                if count < neighbours.shape[1]:
                    neighbours[i, count] = k
                count += 1
        counts[i] = count
    return counts


@numba.njit(cache=True, parallel=True)
def probe(query: Any, rank: Any, codes: Any, starts: Any, order: Any, masks: Any, most: Any, neighbours: Any) -> Any:
    """Do as `scan`, but compare only hashes that nearly agree in one of four parts.

    `rank` sorts the query hashes by each part. Each thread takes a stretch of them and applies one mask to all of it
    before the next mask. So it reads neighbouring memory together: six times as fast as hash by hash.
    """
    counts = np.zeros(len(query), np.int64)
    tight, low = np.uint64(most // np.uint64(4)), np.uint64(0xFFFF)
    stretches = (len(query) + STRETCH - 1) // STRETCH
    for part in range(4):
        for stretch in numba.prange(stretches):
            for mask in masks:
                for place in range(stretch * STRETCH, min((stretch + 1) * STRETCH, len(query))):
                    i = rank[part, place]
                    mine = query[i]
                    bucket = np.int64(((mine >> np.uint64(16 * part)) & low) ^ mask)
                    for k in range(starts[part, bucket], starts[part, bucket + 1]):
                        differ = mine ^ codes[part, k]
                        if _ones(differ) > most:
                            continue
                        counted = False  # already, by an earlier part whose bucket holds it too
                        for earlier in range(part):
                            if _ones((differ >> np.uint64(16 * earlier)) & low) <= tight:
                                counted = True
                        if not counted:
                            if counts[i] < neighbours.shape[1]:
                                neighbours[i, counts[i]] = order[part, k]
                            counts[i] += 1
    return counts
