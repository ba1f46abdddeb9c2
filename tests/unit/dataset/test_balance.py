"""Shares and missing classes are counted, and the suggested seed gives what it promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.row_types import ImageRow
from scripts.dataset.audit import audit
from scripts.dataset.balance import outcome, suggest_seed, tally
from scripts.dataset.splits import Splitting, assign_splits, plan_splits
from scripts.inputs.videos import SPLITS
from tests._dataset_rows import image_row
from tests._planted import LIMIT, SHARES, far_hashes, row_of


def images_of(counts: dict[str, tuple[int, int]], splits: dict[str, str]) -> list[ImageRow]:
    """Return images; `counts` holds, per video, the number of images with a dog and with a cat."""
    return [
        image_row(f"{v}/{i}.jpg", ["dog" if i < n else "cat"], split=splits[v], file=f"{v}{i}")
        for v, (n, more) in counts.items()
        for i in range(n + more)
    ]


def test_the_outcome_counts_images_groups_and_the_class_that_is_furthest_off() -> None:
    videos = {v: row_of(v, split) for v, split in zip("abcd", ["train", "train", "val", "test"], strict=True)}
    plan = plan_splits(videos, {}, [], Splitting({"train": 0.5, "val": 0.25, "test": 0.25}, 0, "video"))
    images = images_of({"a": (3, 1), "b": (1, 0), "c": (4, 0), "d": (0, 3)}, plan.splits)
    got = outcome(plan.groups, plan.splits, tally(images, ["dog", "cat", "cow"]), plan.splitting.shares)
    assert [got[split]["images"] for split in SPLITS] == [5, 4, 3]
    assert [got[split]["image_share"] for split in SPLITS] == [0.4167, 0.3333, 0.25]
    assert [got[split]["groups"] for split in SPLITS] == [2, 1, 1]
    assert [(got[s]["worst_class"], got[s]["worst_class_share"]) for s in SPLITS] == [
        ("cat", 0.25), ("dog", 0.5), ("cat", 0.75),
    ]  # fmt: skip
    assert [got[split]["missing_classes"] for split in SPLITS] == [[], ["cat"], ["dog"]]  # no cow is anywhere
    hashes = dict(zip((f"{i['video']}/{i['frame']}" for i in images), far_hashes(12, 8), strict=True))
    warnings = audit(plan, images, hashes, ["dog", "cat", "cow"], LIMIT)["warnings"]
    assert warnings == ["no object in val of class cat", "no object in test of class dog"]


@pytest.mark.public_report(
    "ultralytics 9445", saw="training ends with an error, because no image in val has a label",
    here="the audit warns which classes a split lacks, also where it has only backgrounds",
)  # fmt: skip
def test_a_split_of_backgrounds_alone_gives_a_warning() -> None:
    videos = {v: row_of(v, split) for v, split in zip("abc", SPLITS, strict=True)}
    plan = plan_splits(videos, {}, [], Splitting(SHARES, 0, "video"))
    images = images_of({"a": (1, 1), "c": (1, 1)}, plan.splits)
    images += [image_row(f"b/{i}.jpg", [], split="val", file=f"b{i}") for i in range(2)]
    hashes = dict(zip((f"{i['video']}/{i['frame']}" for i in images), far_hashes(6, 8), strict=True))
    assert "no object in val of class dog, cat" in audit(plan, images, hashes, ["dog", "cat"], LIMIT)["warnings"]


@settings(deadline=None, max_examples=30)  # 400 plans each
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30), st.integers(0, 999))
def test_the_suggested_seed_gives_what_it_promises_and_is_no_worse(counts: list[tuple[int, int]], seed: int) -> None:
    numbers = {f"v{i}": pair for i, pair in enumerate(counts)}
    plan = plan_splits({v: row_of(v) for v in numbers}, {}, [], Splitting(SHARES, seed, "video"))
    counted = tally(images_of(numbers, plan.splits), ["dog", "cat"])
    found = suggest_seed(plan.groups, counted, plan.splitting)
    splits = assign_splits(plan.groups, SHARES, found["seed"])
    assert found["splits"] == outcome(plan.groups, splits, counted, SHARES)
    empty = [
        sum(not row["images"] for row in o.values())
        for o in (found["splits"], outcome(plan.groups, plan.splits, counted, SHARES))
    ]
    assert (empty[0], found["distance"]) <= (empty[1], found["configured_distance"])
    assert found["is_configured"] == (found["seed"] == seed)
    again = suggest_seed(plan.groups, counted, Splitting(SHARES, found["seed"], "video"))
    assert again["is_configured"] and again["distance"] == found["distance"]  # set, it stays


def test_a_seed_that_fills_all_splits_goes_before_one_that_comes_closer() -> None:
    shares = {
        "train": 0.8,
        "val": 0.1,
        "test": 0.1,
    }  # of four equal groups, all in train: off by 0.2; 2 + 1 + 1: by 0.3
    plan = plan_splits({v: row_of(v) for v in "abcd"}, {}, [], Splitting(shares, 0, "video"))
    found = suggest_seed(
        plan.groups, tally(images_of(dict.fromkeys("abcd", (2, 0)), plan.splits), ["dog"]), plan.splitting
    )
    assert sorted(found["splits"][split]["groups"] for split in SPLITS) == [1, 1, 2] and found["distance"] == 0.6
