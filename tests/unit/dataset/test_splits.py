"""Linked videos stay together, the table decides over the hash, and videos rarely move."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.row_types import CopyRow
from scripts.dataset.splits import Plan, Splitting, choose_split, conflicts, duplicate_links, identity_of, plan_splits
from scripts.inputs.videos import SPLITS
from tests._dataset_rows import copy_row

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
BY_VIDEO, BY_CHANNEL = Splitting(SHARES, 0, "video"), Splitting(SHARES, 0, "channel")
Table = dict[str, dict[str, Any]]
Pairs = list[tuple[str, str]]


def copies(pairs: Pairs) -> list[CopyRow]:
    """Return rows of copies.parquet in which a frame of each second video represents one of the first."""
    return [copy_row(f"{a}/1.jpg", f"{b}/2.jpg", distance_bits=3) for a, b in pairs]


def plan(table: Table, pairs: Pairs, splitting: Splitting = BY_VIDEO) -> Plan:
    return plan_splits(table, {video: row.get("channel", "") for video, row in table.items()}, copies(pairs), splitting)


@st.composite
def tables(draw: st.DrawFn, forced: bool) -> tuple[Table, Pairs]:
    """Draw a valid table (one split per url), and pairs of its videos that share copies."""
    urls = draw(st.lists(st.sampled_from([f"u{i}" for i in range(12)]), min_size=1, max_size=14))
    given = {url: draw(st.sampled_from(("", *SPLITS))) if forced else "" for url in sorted(set(urls))}
    table: Table = {}
    for i, url in enumerate(urls):  # of a source's rows not all need name its split
        split = given[url] if draw(st.booleans()) else ""
        table[f"v{i}"] = {"url": url, "split": split, "channel": draw(st.sampled_from(("", "c", "d")))}
    video = st.sampled_from(sorted(table))
    return table, draw(st.lists(st.tuples(video, video), max_size=8))


SPLITTINGS = st.sampled_from((BY_VIDEO, BY_CHANNEL))


def linked(table: Table, pairs: Pairs, splitting: Splitting) -> Pairs:
    """Return all pairs that belong together for a reason of their own."""
    kin = ("url", "channel") if splitting.by == "channel" else ("url",)
    same = [(a, b) for a in table for b in table if any(table[a][k] == table[b][k] != "" for k in kin)]
    return [*pairs, *same]


@given(tables(forced=False), SPLITTINGS)
def test_linked_videos_are_in_one_split(drawn: tuple[Table, Pairs], splitting: Splitting) -> None:
    table, pairs = drawn
    made = plan(table, pairs, splitting)
    assert sorted(v for group in made.groups for v in group.videos) == sorted(table) == sorted(made.splits)
    assert set(made.splits.values()) <= set(SPLITS)
    assert all(made.splits[a] == made.splits[b] for a, b in linked(table, pairs, splitting))
    assert conflicts(made) == []


@given(tables(forced=True), SPLITTINGS)
def test_a_group_follows_its_first_row_with_a_split(drawn: tuple[Table, Pairs], splitting: Splitting) -> None:
    table, pairs = drawn
    made = plan(table, pairs, splitting)
    given_splits = {row["url"]: row["split"] for row in table.values() if row["split"]}
    for group in made.groups:
        first = next((table[v]["split"] for v in table if v in group.videos and table[v]["split"]), None)
        for video in group.videos:
            wanted = given_splits.get(table[video]["url"], first)
            assert made.splits[video] == (wanted or choose_split(group.identity, SHARES, 0))


@given(tables(forced=True), SPLITTINGS)
def test_conflicts_are_the_links_between_different_splits(drawn: tuple[Table, Pairs], splitting: Splitting) -> None:
    table, pairs = drawn
    made = plan(table, pairs, splitting)
    found = conflicts(made)
    reported = {frozenset(link["videos"]) for conflict in found for link in conflict["links"] if link["frames"]}
    assert reported == {frozenset(pair) for pair in pairs if made.splits[pair[0]] != made.splits[pair[1]]}
    divided = [group for group in made.groups if len({made.splits[v] for v in group.videos}) > 1]
    assert [conflict["forced"] for conflict in found] == [group.forced for group in divided]
    assert all(len(set(group.forced.values())) > 1 for group in divided)


@given(tables(forced=False), SPLITTINGS, st.randoms(use_true_random=False), st.integers(0, 5))
def test_order_and_unlinked_videos_move_no_video(
    drawn: tuple[Table, Pairs], splitting: Splitting, shuffler: random.Random, n_new: int
) -> None:
    table, pairs = drawn
    rows = [*table.items(), *((f"new{i}", {"url": f"new-url{i}", "split": ""}) for i in range(n_new))]
    shuffler.shuffle(rows)
    shuffled = [pair if shuffler.random() < 0.5 else pair[::-1] for pair in shuffler.sample(pairs, len(pairs))]
    before = plan(table, pairs, splitting).splits
    after = plan(dict(rows), shuffled, splitting).splits
    assert {video: after[video] for video in table} == before


@given(tables(forced=False), SPLITTINGS, st.data())
def test_a_merge_moves_only_one_of_the_two_groups(
    drawn: tuple[Table, Pairs], splitting: Splitting, data: st.DataObject
) -> None:
    table, pairs = drawn
    one, other = data.draw(st.tuples(st.sampled_from(sorted(table)), st.sampled_from(sorted(table))))
    before, after = plan(table, pairs, splitting), plan(table, [*pairs, (one, other)], splitting)
    merged = [set(group.videos) for group in before.groups if {one, other} & set(group.videos)]
    moved = {video for video in table if before.splits[video] != after.splits[video]}
    assert moved in [set(), *merged]
    assert after.splits[one] in (before.splits[one], before.splits[other])


@given(tables(forced=False), st.data())
def test_a_video_that_leaves_moves_only_members_of_its_group(drawn: tuple[Table, Pairs], data: st.DataObject) -> None:
    table, pairs = drawn
    gone = data.draw(st.sampled_from(sorted(table)))
    before = plan(table, pairs)
    rest = {video: row for video, row in table.items() if video != gone}
    after = plan(rest, [pair for pair in pairs if gone not in pair])
    group = next(group for group in before.groups if gone in group.videos)
    with_decider = next((g.videos for g in after.groups if group.identity in {rest[v]["url"] for v in g.videos}), ())
    assert all(after.splits[v] == before.splits[v] for v in rest if v not in group.videos or v in with_decider)


@given(st.sets(st.text(min_size=1), min_size=1), st.sets(st.text(min_size=1), min_size=1), st.sets(st.text()))
def test_a_merged_group_keeps_one_of_the_two_identities(one: set[str], other: set[str], channels: set[str]) -> None:
    assert identity_of(one | other, []) in (identity_of(one, []), identity_of(other, []))
    assert identity_of(one | other, channels) in (identity_of(one, channels), identity_of(other, []))


def test_a_video_that_joins_a_channel_moves_none_of_its_videos() -> None:
    table: Table = {f"v{i}": {"url": f"u{i}", "split": "", "channel": "c"} for i in range(200)}
    table |= {f"w{i}": {"url": f"w{i}", "split": "", "channel": ""} for i in range(20)}
    splits = plan(table, [], BY_CHANNEL).splits
    assert {splits[f"v{i}"] for i in range(200)} == {choose_split("channel:c", SHARES, 0)}
    assert len({splits[f"w{i}"] for i in range(20)}) > 1  # videos without a channel stay single
    few = {video: table[video] for video in ("v7", "v9")}
    assert plan(few, [], BY_CHANNEL).splits == {video: splits[video] for video in few}
    assert len({plan(table, []).splits[f"v{i}"] for i in range(200)}) == 3


def test_shares_are_approached_by_small_and_by_large_groups() -> None:
    for size, n_groups in ((1, 2000), (20, 2000)):
        table: Table = {f"{g}-{i}": {"url": f"{g}-{i}", "split": ""} for g in range(n_groups) for i in range(size)}
        chain = [(f"{g}-{a}", f"{g}-{b}") for g in range(n_groups) for a, b in pairwise(range(size))]
        made = plan(table, chain)
        assert len(made.groups) == n_groups
        chosen = [made.splits[group.videos[0]] for group in made.groups]
        for split, share in SHARES.items():
            assert abs(chosen.count(split) / n_groups - share) < 0.04, (size, split)
        other = plan(table, chain, Splitting(SHARES, 1, "video"))
        assert 0.4 < sum(made.splits[v] != other.splits[v] for v in table) / len(table) < 0.7  # 0.56 by chance


@given(st.text(min_size=1), st.integers(0, 5))
def test_shares_of_zero_and_slightly_under_one(source: str, seed: int) -> None:
    assert choose_split(source, {"train": 0.0, "val": 1.0, "test": 0.0}, seed) == "val"
    assert choose_split(source, {"train": 0.0, "val": 0.0, "test": 0.9999999}, seed) == "test"


def test_a_link_names_the_closest_frames_of_two_videos() -> None:
    rows = [
        copy_row("b/1.jpg", "a/9.jpg", distance_bits=5),
        copy_row("a/4.jpg", "b/3.jpg", distance_bits=2),
        copy_row("b/2.jpg", "a/7.jpg", distance_bits=2),
        copy_row("b/3.jpg"),
        copy_row("b/8.jpg", "b/3.jpg", distance_bits=1),
    ]
    (link,) = duplicate_links(rows)
    assert (link.videos, link.frames, link.distance_bits) == (("a", "b"), ("a/4.jpg", "b/3.jpg"), 2)
    assert duplicate_links(reversed(rows)) == [link]


def test_near_hashes_with_other_objects_link_videos_that_share_no_copy() -> None:
    near = copy_row("b/1.jpg", near_misses=["a/3.jpg"])
    (link,) = duplicate_links([near])
    assert (link.videos, link.frames, link.distance_bits) == (("a", "b"), ("a/3.jpg", "b/1.jpg"), None)
    assert duplicate_links([*copies([("b", "a")]), near]) == duplicate_links(copies([("b", "a")]))
    assert duplicate_links([copy_row("b/1.jpg")]) == []


def test_parts_of_one_source_share_its_split_and_the_link_is_their_url() -> None:
    sources = [("a", ""), ("a", ""), ("b", ""), ("b", "test"), ("c", "")]
    table: Table = {f"v{i}": {"url": url, "split": split} for i, (url, split) in enumerate(sources)}
    made = plan(table, [])
    assert made.splits["v0"] == made.splits["v1"] == choose_split("a", SHARES, 0)
    assert made.splits["v2"] == made.splits["v3"] == "test"
    assert [link.videos for link in made.links] == [("v0", "v1"), ("v2", "v3")]


# Literal on purpose: another split for any of these would move images from train to test when users upgrade.
SPLIT_OF_URL = {  # with seed 0 and shares 0.6, 0.2, 0.2; with seed 7 and shares 0.8, 0.1, 0.1
    "https://www.youtube.com/watch?v=00000000000": ("train", "train"),
    "https://www.youtube.com/watch?v=00000000001": ("train", "train"),
    "https://www.youtube.com/watch?v=00000000002": ("test", "train"),
    "https://www.youtube.com/watch?v=00000000003": ("train", "test"),
    "https://www.youtube.com/watch?v=00000000004": ("test", "train"),
    "https://www.youtube.com/watch?v=00000000005": ("train", "train"),
    "https://www.youtube.com/watch?v=00000000006": ("train", "train"),
    "https://www.youtube.com/watch?v=00000000007": ("train", "train"),
    "https://vimeo.com/70000000": ("train", "test"),
    "https://vimeo.com/70000977": ("train", "train"),
    "https://vimeo.com/70001954": ("val", "train"),
    "https://vimeo.com/70002931": ("test", "train"),
    "https://vimeo.com/70003908": ("val", "train"),
    "https://vimeo.com/70004885": ("val", "val"),
    "data/videos/clip0.mp4": ("train", "val"),
    "data/videos/clip1.mp4": ("train", "train"),
    "data/videos/clip2.mp4": ("train", "train"),
    "data/videos/clip3.mp4": ("train", "train"),
    "data/videos/clip4.mp4": ("val", "train"),
    "data/videos/clip5.mp4": ("train", "train"),
}
GROUPS = [  # URLs, channels, the member that decides, and the split with seed 0 and shares 0.6, 0.2, 0.2
    ("a", [], "a", "val"),
    ("ab", [], "b", "test"),
    ("abc", [], "c", "val"),
    ("cdef", [], "d", "train"),
    ("ghij", ["dog tv"], "channel:dog tv", "val"),
    ("ghij", ["dog tv", "cat tv"], "channel:cat tv", "test"),
    ("ghij", ["dog tv", "cat tv", "cow tv"], "channel:cow tv", "train"),
]


def test_no_version_changes_the_split_of_a_url() -> None:
    table: Table = {f"v{i}": {"url": url, "split": ""} for i, url in enumerate(SPLIT_OF_URL)}
    first = plan(table, []).splits
    second = plan(table, [], Splitting({"train": 0.8, "val": 0.1, "test": 0.1}, 7, "video")).splits
    assert {table[v]["url"]: (first[v], second[v]) for v in table} == SPLIT_OF_URL


@pytest.mark.parametrize(("urls", "channels", "decides", "split"), GROUPS)
def test_no_version_changes_the_split_of_a_group(urls: str, channels: list[str], decides: str, split: str) -> None:
    table: Table = {url: {"url": url, "split": "", "channel": ""} for url in urls}
    for url, channel in zip(urls, channels, strict=False):
        table[url]["channel"] = channel
    chain = list(pairwise(urls))
    made = plan(table, chain, BY_CHANNEL)
    assert [group.identity for group in made.groups] == [decides] and set(made.splits.values()) == {split}
    assert plan(dict(reversed(table.items())), chain[::-1], BY_CHANNEL).splits == made.splits
