"""Each frame is kept or assigned to its nearest kept frame, with hashes and with vectors."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dedup.deduplicate import accept_all
from scripts.dedup.features import Hashes
from scripts.dedup.grouping import Check, Groups, group_frames
from scripts.dedup.hash_space import HashSpace
from scripts.dedup.hashing import ROLES
from scripts.dedup.vector_space import VectorSpace
from scripts.frames.phash import HASH_BITS
from tests._hashed import cone

# Few distinct bits, so that hashes lie close together and chains form.
VALUES = st.lists(st.integers(0, 2**10 - 1), max_size=60)


def bits(a: int, b: int) -> int:
    return (a ^ b).bit_count()


def grouped(
    values: Sequence[int], limit: int, check: Check = accept_all, videos: Sequence[int] | None = None
) -> Groups:
    count = len(values)
    hashes = Hashes(np.array(values, np.uint64), np.arange(count), np.zeros(count, np.uint8))
    numbers = np.arange(count) if videos is None else np.array(videos)
    return group_frames(hashes, hashes, numbers, HashSpace(limit), check)


@pytest.mark.public_report(
    "visual-layer/fastdup 302", saw="a cluster holds images of a similarity of 0.82, though the threshold is 0.97",
    here="each dropped frame is within the threshold of the frame that is kept for it",
)  # fmt: skip
@given(VALUES, st.integers(0, 4))
def test_each_frame_is_assigned_to_its_nearest_kept_frame(values: list[int], limit: int) -> None:
    found = grouped(values, limit)
    kept = [i for i in range(len(values)) if found.representative[i] == i]
    for i, value in enumerate(values):
        assert found.representative[i] in kept and found.representative[i] <= i
        assert found.distance_bits[i] == bits(value, values[found.representative[i]]) <= limit
        assert found.distance_bits[i] == min(bits(value, values[k]) for k in kept if k <= i)
        assert found.matched[i] == (-1 if i in kept else i)
    for a in kept:
        assert all(bits(values[a], values[b]) > limit for b in kept if b != a)
    assert list(grouped([values[k] for k in kept], limit).representative) == list(range(len(kept)))


@given(VALUES, st.integers(0, 4), st.integers(0, 2**10 - 1))
def test_the_last_frame_changes_no_other_frame(values: list[int], limit: int, extra: int) -> None:
    assert list(grouped([*values, extra], limit).representative[:-1]) == list(grouped(values, limit).representative)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(0, 12))
def test_vectors_are_grouped_as_hashes_are(seed: int, count: int, limit: int) -> None:
    vectors = cone(seed, count, 0.4)
    features = Hashes(vectors, np.arange(count), np.zeros(count, np.uint8))
    groups = group_frames(features, features, np.arange(count), VectorSpace(limit), accept_all)
    distances = VectorSpace(HASH_BITS).distances(vectors, vectors)
    kept = [i for i in range(count) if groups.representative[i] == i]
    for i in range(count):
        near = min(distances[i, k] for k in kept if k <= i)
        assert distances[i, groups.representative[i]] == near == groups.distance_bits[i] <= limit
    assert all(distances[a, b] > limit for a in kept for b in kept if a != b)


@pytest.mark.public_report(
    "idealo/imagededup 141", saw="RecursionError: maximum recursion depth exceeded, with 11,316 images",
    here="12,000 frames are grouped, also where a thousand of them have one hash",
)  # fmt: skip
def test_many_frames_are_grouped_also_if_many_are_equal() -> None:
    codes = np.random.default_rng(0).integers(2**64, size=12_000, dtype=np.uint64)
    codes[11_000:] = codes[0]
    hashes = Hashes(codes, np.arange(len(codes)), np.zeros(len(codes), np.uint8))
    found = group_frames(hashes, hashes, np.zeros(len(codes), int), HashSpace(8), accept_all)
    assert set(found.representative[11_000:].tolist()) == {0}
    assert list(found.representative[:11_000]) == list(range(11_000))


@pytest.mark.public_report(
    "imagehash 116", saw="two different images have the same hash",
    here="near or equal hashes are no copies unless the objects are the same, too",
)  # fmt: skip
def test_a_frame_that_fails_the_check_is_kept_with_one_near_miss_per_other_video() -> None:
    def refuse(later: int, query_at: int, earlier: int, known_at: int) -> bool:
        return False

    found = grouped([0, 1, 0b110, 0b1], 2, refuse, videos=[0, 0, 1, 2])
    assert list(found.representative) == [0, 1, 2, 3]
    assert found.near_misses == {2: {0: 0}, 3: {0: 1}}, "none within a video; the nearest first"


def test_a_copy_has_no_near_misses() -> None:
    def only_the_first(later: int, query_at: int, earlier: int, known_at: int) -> bool:
        return earlier == 0

    found = grouped([0, 0b111, 0b11], 2, only_the_first, videos=[0, 1, 2])  # the last one is nearest to the second
    assert list(found.representative) == [0, 1, 0] and found.near_misses == {}


def test_inner_crops_match_only_inner_crops() -> None:
    roles = np.array([ROLES.index("content"), ROLES.index("core")], np.uint8)
    apart = Hashes(np.array([5, 5], np.uint64), np.array([0, 1]), roles)
    assert list(group_frames(apart, apart, np.arange(2), HashSpace(4), accept_all).representative) == [0, 1]
    both = Hashes(np.array([5, 5], np.uint64), np.array([0, 1]), roles[[1, 1]])
    assert list(group_frames(both, both, np.arange(2), HashSpace(4), accept_all).representative) == [0, 0]
