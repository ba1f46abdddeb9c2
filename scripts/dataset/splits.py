"""Choose the split of each video: copies stay together, and new videos move as few others as possible."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from scripts.core.row_types import CopyRow
from scripts.inputs.videos import SPLITS


@dataclass(frozen=True)
class Splitting:
    """Settings of config section `dataset`: the share of each split, the seed, and `split_by` (video or channel)."""

    shares: dict[str, float]
    seed: int
    by: str


@dataclass(frozen=True)
class Link:
    """Why two videos belong together: two frames, a channel, or (if neither is set) the same source.

    The frames are copies of each other. Without a distance, they have near hashes but show other objects.
    """

    videos: tuple[str, str]
    frames: tuple[str, ...] = ()
    distance_bits: int | None = None
    channel: str = ""


@dataclass(frozen=True)
class Group:
    """Videos that belong together, in the order of the table; `forced` holds the splits that the table sets."""

    videos: tuple[str, ...]
    identity: str
    forced: dict[str, str] = field(default_factory=dict)
    follows: str = ""  # the split of its first row with a split; empty: chosen by the identity


@dataclass(frozen=True)
class Plan:
    """The split of each video, and the links and groups that lead to it."""

    splitting: Splitting
    links: list[Link]
    groups: list[Group]
    splits: dict[str, str]


class ConflictLink(TypedDict):
    """A link (see Link) between two videos in different splits."""

    videos: list[str]
    splits: list[str]
    frames: list[str]
    distance_bits: int | None
    channel: str


class Conflict(TypedDict):
    """A group in more than one split: the splits that the table sets by video, and the links between splits."""

    forced: dict[str, str]
    links: list[ConflictLink]


def plan_splits(
    videos: Mapping[str, Mapping[str, Any]],
    channels: Mapping[str, str],
    copies: Iterable[CopyRow],
    splitting: Splitting,
) -> Plan:
    """Return the split of each row of the video table; `channels` are used only if the splits are by channel."""
    channels = channels if splitting.by == "channel" else {}
    links = [
        *duplicate_links(copies),
        *(Link(pair) for pair in _same({video: row["url"] for video, row in videos.items()})),
        *(Link(pair, channel=channels[pair[0]]) for pair in _same(channels)),
    ]
    groups = group_videos(videos, channels, links)
    return Plan(splitting, links, groups, assign_splits(groups, splitting.shares, splitting.seed))


def duplicate_links(copies: Iterable[CopyRow]) -> list[Link]:
    """Return one link per two videos with copies of each other: the closest pair of a dropped and a kept frame.

    Near misses (kept frames with near hashes but other objects) link videos without copies, such as two videos of a
    fixed camera.
    """
    closest: dict[tuple[str, str], Link] = {}
    near_misses: dict[tuple[str, str], Link] = {}
    for row in copies:
        frame, representative = f"{row['video']}/{row['frame']}", row["representative"]
        for near_miss in row["near_misses"]:
            link = _link(frame, near_miss, None)
            near_misses.setdefault(link.videos, link)
        if representative.rsplit("/", 1)[0] == row["video"]:
            continue
        link = _link(frame, representative, row["distance_bits"])
        known = closest.setdefault(link.videos, link)
        if (link.distance_bits, link.frames) < (known.distance_bits, known.frames):
            closest[link.videos] = link
    return [link for _, link in sorted((near_misses | closest).items())]


def _link(one: str, other: str, distance_bits: int | None) -> Link:
    first, second = sorted([one, other], key=lambda frame: frame.rsplit("/", 1))
    return Link((first.rsplit("/", 1)[0], second.rsplit("/", 1)[0]), (first, second), distance_bits)


def _same(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pair each video with the first one of the same value; empty values are skipped."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(value, video), video) for video, value in values.items() if value]
    return [(one, other) for one, other in pairs if one != other]


def group_videos(
    videos: Mapping[str, Mapping[str, Any]], channels: Mapping[str, str], links: Iterable[Link]
) -> list[Group]:
    """Group the videos that links connect, in the order of the table."""
    split_of_url: dict[str, str] = {row["url"]: row["split"] for row in videos.values() if row["split"]}
    members: dict[str, list[str]] = {}
    roots = _components(videos, [link.videos for link in links])
    for video in videos:
        members.setdefault(roots[video], []).append(video)
    return [
        Group(
            tuple(group),
            identity_of({videos[v]["url"] for v in group}, {channels[v] for v in group if channels.get(v)}),
            {v: split_of_url[videos[v]["url"]] for v in group if videos[v]["url"] in split_of_url},
            next((videos[v]["split"] for v in group if videos[v]["split"]), ""),
        )
        for group in members.values()
    ]


def _components(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each node one node that is the same for all nodes connected with it."""
    parent = {node: node for node in nodes}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for one, other in pairs:
        parent[root(other)] = root(one)
    return {node: root(node) for node in parent}


def identity_of(sources: Iterable[str], channels: Iterable[str]) -> str:
    """Return the member that decides a group's split: the channel, or else the source, with the smallest hash.

    When two groups merge, only the group whose member no longer has the smallest hash can change split. A member that
    joins or leaves moves the others only if its hash is the smallest. `choose_split` uses another hash: with this one,
    large groups would all go to the first split, because their smallest hash is small.
    """
    names = [f"channel:{channel}" for channel in channels] or list(sources)
    return min(names, key=lambda name: (hashlib.sha256(name.encode()).digest(), name))


def assign_splits(groups: Iterable[Group], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the split of each video: the one that the table sets for its source, else that of its group."""
    splits: dict[str, str] = {}
    for group in groups:
        own = group.follows or choose_split(group.identity, shares, seed)
        splits |= {video: group.forced.get(video, own) for video in group.videos}
    return splits


def choose_split(identity: str, shares: Mapping[str, float], seed: int) -> str:
    """Choose a group's split by a hash of its identity, so that adding or reordering videos moves no other group."""
    number = int.from_bytes(hashlib.sha256(f"{seed}:{identity}".encode()).digest()[:8]) / 2**64
    edge = 0.0
    for split in SPLITS:
        edge += shares[split]
        if number < edge:
            return split
    return max(SPLITS, key=lambda split: shares[split])  # rounding: the shares sum to slightly less than 1


def conflicts(plan: Plan) -> list[Conflict]:
    """Return the groups that the splits of the table divide, with all links between different splits."""
    group_of = {video: i for i, group in enumerate(plan.groups) for video in group.videos}
    crossing: dict[int, list[ConflictLink]] = {}
    for link in plan.links:
        splits = [plan.splits[video] for video in link.videos]
        if splits[0] != splits[1]:
            entry: ConflictLink = {
                "videos": list(link.videos),
                "splits": splits,
                "frames": list(link.frames),
                "distance_bits": link.distance_bits,
                "channel": link.channel,
            }
            crossing.setdefault(group_of[link.videos[0]], []).append(entry)
    return [{"forced": plan.groups[i].forced, "links": links} for i, links in sorted(crossing.items())]


def with_images(plan: Plan, videos: Iterable[str]) -> list[Group]:
    """Return the groups that contain any of these videos."""
    used = set(videos)
    return [group for group in plan.groups if used & set(group.videos)]


def wanted_splits(shares: Mapping[str, float]) -> Sequence[str]:
    """Return the splits with a share above 0."""
    return [split for split in SPLITS if shares[split] > 0]
