"""The inner loops of the search for near hashes, as machine code; imported only by who has many hashes to compare."""

from typing import Any

import numba
import numpy as np

STRETCH = 512  # asked hashes per thread at a time


@numba.njit(cache=True)
def _ones(value: Any) -> Any:  # LLVM knows this for what it is, and takes the processor's instruction
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(cache=True, parallel=True)
def scan(asked: Any, known: Any, most: Any, noted: Any) -> Any:
    """Compare each asked hash with each known one; note positions, return how many there are."""
    counts = np.zeros(len(asked), np.int64)
    for i in numba.prange(len(asked)):
        mine, count = asked[i], 0
        for k in range(len(known)):
            if _ones(mine ^ known[k]) <= most:
                if count < noted.shape[1]:
                    noted[i, count] = k
                count += 1
        counts[i] = count
    return counts


@numba.njit(cache=True, parallel=True)
def probe(asked: Any, rank: Any, codes: Any, starts: Any, order: Any, masks: Any, most: Any, noted: Any) -> Any:
    """As scan, but compare only with hashes that nearly agree in one of four parts.

    `rank` sorts the asked by each part. Each thread takes a stretch of them, all of it for one mask before the next, so
    that what lies together in memory is looked at together: six times as fast as hash by hash.
    """
    counts = np.zeros(len(asked), np.int64)
    tight, low = np.uint64(most // np.uint64(4)), np.uint64(0xFFFF)
    stretches = (len(asked) + STRETCH - 1) // STRETCH
    for part in range(4):
        for stretch in numba.prange(stretches):
            for mask in masks:
                for place in range(stretch * STRETCH, min((stretch + 1) * STRETCH, len(asked))):
                    i = rank[part, place]
                    mine = asked[i]
                    bucket = np.int64(((mine >> np.uint64(16 * part)) & low) ^ mask)
                    for k in range(starts[part, bucket], starts[part, bucket + 1]):
                        differ = mine ^ codes[part, k]
                        if _ones(differ) > most:
                            continue
                        seen = False  # by an earlier part, whose bucket holds it as well
                        for before in range(part):
                            if _ones((differ >> np.uint64(16 * before)) & low) <= tight:
                                seen = True
                        if not seen:
                            if counts[i] < noted.shape[1]:
                                noted[i, counts[i]] = order[part, k]
                            counts[i] += 1
    return counts
