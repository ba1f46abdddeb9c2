"""Distances below and above the limit of copies are those that comparing all with all finds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.dedup import distances
from scripts.dedup.deduplicate import accept_all
from scripts.dedup.distances import NO_PAIR, PAIRS_SHOWN, Distances, Search, measure_distances, nearest_kept
from scripts.dedup.features import Hashes
from scripts.dedup.grouping import Check, group_frames
from scripts.dedup.hash_space import HashSpace
from scripts.dedup.hashing import INNER_ROLES, KNOWN, MIRRORED, QUERY, ROLES

Picture = Sequence[tuple[str, int]]
# Few distinct bits, so that some hashes are near; a picture may have none.
PICTURES = st.lists(st.lists(st.tuples(st.sampled_from(ROLES), st.integers(0, 2**10 - 1)), max_size=4), max_size=25)


def search_for(pictures: Sequence[Picture], limit: int, check: Check = accept_all) -> Search:
    rows = [(value, i, ROLES.index(role)) for i, picture in enumerate(pictures) for role, value in picture]
    codes, owners, roles = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    hashes = Hashes(np.array(codes, np.uint64), np.array(owners, np.int64), np.array(roles, np.uint8))
    order = np.arange(len(pictures))
    return Search(hashes.select(QUERY | MIRRORED, order), hashes.select(KNOWN, order), HashSpace(limit), limit, check)


def measured(pictures: Sequence[Picture], limit: int, check: Check = accept_all, in_video: int = 100) -> Distances:
    search = search_for(pictures, limit, check)
    groups = group_frames(search.query, search.known, np.arange(len(pictures)), HashSpace(limit), check)
    return measure_distances([f"v{i // in_video}/{i:09d}.jpg" for i in range(len(pictures))], search, groups)


def bits(later: Picture, earlier: Picture) -> int:
    """Return the distance of two pictures as the search for copies defines it."""
    query = [(role in INNER_ROLES, value) for role, value in later if role in QUERY | MIRRORED]
    known = [(role in INNER_ROLES, value) for role, value in earlier if role in KNOWN]
    return min(((a ^ b).bit_count() for inner, a in query for other, b in known if inner == other), default=NO_PAIR)


def contents(*values: int) -> list[Picture]:
    return [[("content", value)] for value in values]


@settings(deadline=None)
@given(PICTURES, st.data())
def test_the_nearest_kept_picture_is_the_one_that_comparing_all_finds(pictures: list[Picture], data: Any) -> None:
    everything = list(range(len(pictures)))
    kept = sorted(data.draw(st.sets(st.sampled_from(everything)))) if everything else []
    compared = sorted(data.draw(st.sets(st.sampled_from(kept)))) if kept else []
    found = nearest_kept(search_for(pictures, 3), np.isin(everything, kept), np.array(compared, np.int64))
    expected = {}
    for i in compared:
        expected[i] = min((bits(pictures[max(i, k)], pictures[min(i, k)]) for k in kept if k != i), default=NO_PAIR)
    assert sorted(found.bits.tolist()) == sorted(n for n in expected.values() if n < NO_PAIR)
    for later, earlier, distance, mine, other in zip(*(c.tolist() for c in vars(found).values()), strict=True):
        assert (
            later > earlier
            and {later, earlier} <= set(kept)
            and distance in (expected.get(later), expected.get(earlier))
        )
        assert any(
            (a ^ b).bit_count() == distance
            for r, a in pictures[later] if r == ROLES[mine]
            for s, b in pictures[earlier] if s == ROLES[other]
        )  # fmt: skip


@settings(deadline=None)
@given(PICTURES, st.integers(0, 4))
def test_every_frame_is_counted_once_and_on_its_side(pictures: list[Picture], limit: int) -> None:
    found = measured(pictures, limit)
    assert found["within_video"] == sum(found["counts"]["dropped"]) == sum(n for _, _, n in found["roles"])
    assert found["of_another_video"] == 0 and found["looked_up"] == found["kept"]
    assert found["within_video"] + found["kept"] == len(pictures)
    assert found["lone"] + sum(found["counts"]["kept"]) == found["kept"]
    assert sum(found["counts"]["told_apart"]) == 0 == sum(found["counts"]["kept"][: limit + 1])
    assert len(found["counts"]["dropped"]) <= limit + 1


@settings(deadline=None)
@given(PICTURES)
def test_the_size_of_a_block_does_not_matter(pictures: list[Picture]) -> None:
    whole = measured(pictures, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "PAIRS_AT_ONCE", 1)
        assert measured(pictures, 2) == whole


def test_near_hashes_with_other_objects_are_counted_apart() -> None:
    def other_objects(later: int, query_at: int, earlier: int, known_at: int) -> bool:
        return {later, earlier} != {0, 1}

    found = measured(contents(0, 0b11, 0b111, 2**30 - 1), 2, other_objects)
    assert found["counts"]["told_apart"] == [0, 0, 2] and sum(found["counts"]["kept"]) == 1
    assert found["counts"]["dropped"] == [0, 1]
    (pair,) = found["pairs"]["told_apart"]
    assert pair == {"frames": ["v0/000000001.jpg", "v0/000000000.jpg"], "roles": ["content"] * 2, "distance_bits": 2}


def test_roles_are_those_of_the_hashes_that_matched() -> None:
    far = 2**50 - 1
    kept = [("content", 0), ("crop5", far), ("core", far << 14)]
    found = measured([kept, [("content", far ^ 1)], [("content", 0xFF << 20), ("core", far << 14)], [("mirror", 1)]], 2)
    assert found["roles"] == [("content", "crop5", 1), ("core", "core", 1), ("mirror", "content", 1)]


def test_of_equal_hashes_the_one_that_passed_the_check_is_named() -> None:
    def crops_only(later: int, query_at: int, earlier: int, known_at: int) -> bool:
        return known_at == 1

    assert measured([[("content", 5), ("crop5", 5)], [("content", 5)]], 0, crops_only)["roles"] == [
        ("content", "crop5", 1)
    ]


def test_shown_pairs_are_closest_to_the_limit_and_from_many_videos() -> None:
    rng = np.random.default_rng(0)
    scenes = rng.integers(2**63, size=40).tolist()
    pictures = contents(*scenes, *(scene ^ 0b1 for scene in scenes), *(scene ^ 0b11 for scene in scenes[:7]))
    found = measured(pictures, 6, in_video=8)
    dropped = found["pairs"]["dropped"]
    assert [pair["distance_bits"] for pair in dropped] == [2] * 7 + [1] * (PAIRS_SHOWN - 7)
    assert len({pair["frames"][0].split("/")[0] for pair in dropped[7:]}) == PAIRS_SHOWN - 7
    kept = [pair["distance_bits"] for pair in found["pairs"]["kept"]]
    assert len(kept) == PAIRS_SHOWN and kept == sorted(kept) and found["pairs"]["told_apart"] == []
    assert kept[0] == next(i for i, n in enumerate(found["counts"]["kept"]) if n)
    assert found["within_video"] == 0 and found["of_another_video"] == 47


def test_of_very_many_kept_frames_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = contents(*np.random.default_rng(1).integers(2**63, size=300).tolist())
    whole = measured(pictures, 0)
    monkeypatch.setattr(distances, "COMPARE_ALL", 299)
    monkeypatch.setattr(distances, "SAMPLE", 100)
    some = measured(pictures, 0)
    assert (some["kept"], some["looked_up"], sum(some["counts"]["kept"])) == (300, 100, 100)
    assert all(few <= many for few, many in zip(some["counts"]["kept"], whole["counts"]["kept"], strict=False))
    assert measured(pictures, 0) == some


def test_without_frames_all_counts_are_empty() -> None:
    found = measured([], 8)
    assert found["counts"] == {"dropped": [], "told_apart": [], "kept": []} and found["roles"] == []
    assert measured(contents(7), 8)["lone"] == 1
