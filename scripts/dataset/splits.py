"""Put videos into splits so that what shows the same stays together, and so that nothing moves without need."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.inputs.videos import SPLITS


@dataclass(frozen=True)
class Splitting:
    """What config section `dataset` asks for: the share of each split, the seed, and what is never divided."""

    shares: dict[str, float]
    seed: int
    by: str


@dataclass(frozen=True)
class Link:
    """Why two videos belong together: frames, a channel, or (neither) one source.

    The frames are copies of each other, or, without a distance, have near hashes but show other objects.
    """

    videos: tuple[str, str]
    frames: tuple[str, ...] = ()
    distance_bits: int | None = None
    channel: str = ""


@dataclass(frozen=True)
class Group:
    """Videos that belong together, in the order given; `forced` are those whose source the table puts into a split."""

    videos: tuple[str, ...]
    identity: str
    forced: dict[str, str] = field(default_factory=dict)
    follows: str = ""  # the split of its first forced row; empty: chosen by the identity


@dataclass(frozen=True)
class Plan:
    """Who goes where, and why."""

    splitting: Splitting
    links: list[Link]
    groups: list[Group]
    splits: dict[str, str]


def plan_splits(
    videos: Mapping[str, Mapping[str, Any]],
    channels: Mapping[str, str],
    manifest: Iterable[Mapping[str, Any]],
    splitting: Splitting,
) -> Plan:
    """Return the split of each row of the video table: `manifest` tells copies, `channels` count if split by them."""
    channels = channels if splitting.by == "channel" else {}
    links = [
        *duplicate_links(manifest),
        *(Link(pair) for pair in _same({video: row["url"] for video, row in videos.items()})),
        *(Link(pair, channel=channels[pair[0]]) for pair in _same(channels)),
    ]
    groups = group_videos(videos, channels, links)
    return Plan(splitting, links, groups, assign_splits(groups, splitting.shares, splitting.seed))


def duplicate_links(manifest: Iterable[Mapping[str, Any]]) -> list[Link]:
    """Return a link per two videos of which one lost a frame to the other: the closest such pair of frames.

    Where there is none, two kept frames with near hashes but other objects link two videos, too: a fixed camera's.
    """
    closest: dict[tuple[str, str], Link] = {}
    near_misses: dict[tuple[str, str], Link] = {}
    for row in manifest:
        mine, other = f"{row['video']}/{row['frame']}", row["representative"]
        for rival in row["near_misses"]:
            link = _link(mine, rival, None)
            near_misses.setdefault(link.videos, link)
        if other.rsplit("/", 1)[0] == row["video"]:
            continue
        link = _link(mine, other, row["distance_bits"])
        known = closest.setdefault(link.videos, link)
        if (link.distance_bits, link.frames) < (known.distance_bits, known.frames):
            closest[link.videos] = link
    return [link for _, link in sorted((near_misses | closest).items())]


def _link(one: str, other: str, distance_bits: int | None) -> Link:
    first, second = sorted([one, other], key=lambda frame: frame.rsplit("/", 1))
    return Link((first.rsplit("/", 1)[0], second.rsplit("/", 1)[0]), (first, second), distance_bits)


def _same(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pair each video with the first one of the same value; empty values are nobody's."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(value, video), video) for video, value in values.items() if value]
    return [(one, other) for one, other in pairs if one != other]


def group_videos(
    videos: Mapping[str, Mapping[str, Any]], channels: Mapping[str, str], links: Iterable[Link]
) -> list[Group]:
    """Return the groups that links make of the videos, in their order."""
    given: dict[str, str] = {row["url"]: row["split"] for row in videos.values() if row["split"]}
    members: dict[str, list[str]] = {}
    roots = _components(videos, [link.videos for link in links])
    for video in videos:
        members.setdefault(roots[video], []).append(video)
    return [
        Group(
            tuple(group),
            identity_of({videos[v]["url"] for v in group}, {channels[v] for v in group if channels.get(v)}),
            {v: given[videos[v]["url"]] for v in group if videos[v]["url"] in given},
            next((videos[v]["split"] for v in group if videos[v]["split"]), ""),
        )
        for group in members.values()
    ]


def _components(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each node the one that stands for all that are connected with it."""
    parent = {node: node for node in nodes}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for one, other in pairs:
        parent[root(other)] = root(one)
    return {node: root(node) for node in parent}


def identity_of(sources: Iterable[str], channels: Iterable[str]) -> str:
    """Return the member that decides on a group's split: the first of its channels, else of its sources, by hash.

    All members have one fixed rank, so two groups that merge follow one of their two deciders, and the members of the
    other move at most; who joins or leaves moves the rest only if it decides. The hash that ranks is another one than
    the one that chooses the split: else large groups, whose least hash is small, would all go to the first split.
    """
    names = [f"channel:{channel}" for channel in channels] or list(sources)
    return min(names, key=lambda name: (hashlib.sha256(name.encode()).digest(), name))


def assign_splits(groups: Iterable[Group], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the split of each video: the table's for its source, else its group's."""
    splits: dict[str, str] = {}
    for group in groups:
        own = group.follows or choose_split(group.identity, shares, seed)
        splits |= {video: group.forced.get(video, own) for video in group.videos}
    return splits


def choose_split(identity: str, shares: Mapping[str, float], seed: int) -> str:
    """Return the split of a group by a hash of its identity, so that adding or reordering videos moves no other."""
    number = int.from_bytes(hashlib.sha256(f"{seed}:{identity}".encode()).digest()[:8]) / 2**64
    edge = 0.0
    for split in SPLITS:
        edge += shares[split]
        if number < edge:
            return split
    return max(SPLITS, key=lambda split: shares[split])  # the shares sum to a hair under 1


def conflicts(plan: Plan) -> list[dict[str, Any]]:
    """Return the groups that the table's forced splits divide, with every link that leads from one split to another."""
    group_of = {video: i for i, group in enumerate(plan.groups) for video in group.videos}
    crossing: dict[int, list[dict[str, Any]]] = {}
    for link in plan.links:
        splits = [plan.splits[video] for video in link.videos]
        if splits[0] != splits[1]:
            entry = {
                "videos": list(link.videos),
                "splits": splits,
                "frames": list(link.frames),
                "distance_bits": link.distance_bits,
                "channel": link.channel,
            }
            crossing.setdefault(group_of[link.videos[0]], []).append(entry)
    return [{"forced": plan.groups[i].forced, "links": links} for i, links in sorted(crossing.items())]


def with_images(plan: Plan, videos: Iterable[str]) -> list[Group]:
    """Return the groups of the plan of which any of these videos, that images came from, is a member."""
    used = set(videos)
    return [group for group in plan.groups if used & set(group.videos)]


def wanted_splits(shares: Mapping[str, float]) -> Sequence[str]:
    """Return the splits that are to hold anything."""
    return [split for split in SPLITS if shares[split] > 0]
