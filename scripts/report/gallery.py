"""Choose the images of the report: few enough for a page, but some of each class, split and video."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from scripts.core.files import read_json
from scripts.core.layout import AUDIT, DROPPED
from scripts.core.row_types import CopyRow, DetectionRow, LedgerRow
from scripts.report.thumbnails import PAIR_PX, Picture, Pictures, Thumbnail, thumbnail

SAMPLE_PX = 320  # longer side
SAMPLES = 240
MAX_BOXES = 40  # of a sample, those with the highest confidence
MAX_DROPPED = 48  # frames that the filter dropped
MAX_GROUPS, MAX_COPIES = 24, 5  # groups of copies, and copies beside each representative
N_COLOURS = 10  # of page.css

T = TypeVar("T")
Entry = TypeVar("Entry", bound=Mapping[str, Any])  # with the key `video`
Labels = Mapping[tuple[str, str], DetectionRow]  # by video and frame


class Copy(Picture):
    """A dropped frame with its distance to the representative."""

    distance_bits: int


class CopyGroup(TypedDict):
    """A representative, some of its copies, and the number of all copies."""

    kept: Picture
    n_copies: int
    copies: list[Copy]


class Box(TypedDict):
    """A labelled box in pixels of the thumbnail; `number` is that of the class."""

    x: float
    y: float
    width: float
    height: float
    name: str
    number: int
    colour: int
    confidence: float


class Sample(Thumbnail):
    """An image of the dataset with its boxes; `numbers` are those of its classes."""

    video: str
    split: str
    file: str
    pts_s: float
    boxes: list[Box]
    classes: list[str]
    numbers: list[int]


def pick_samples(exported: Sequence[LedgerRow], labels: Labels, count: int) -> list[LedgerRow]:
    """Return up to `count` exported frames in the order of the dataset.

    They show each class in each split. Up to a quarter have the lowest confidences, of each class in turn. The rest
    are some of each video.
    """
    ranked = list(in_turn(exported))
    covered: set[tuple[str, str]] = set()
    first = []
    for entry in ranked:
        pairs = {(name, entry["split"]) for name in labels[entry["video"], entry["frame"]]["classes"]}
        if not pairs <= covered:
            first.append(entry)
            covered |= pairs
    uncertain = lowest_confidences(exported, labels)[: count // 4]
    names = dict.fromkeys((entry["video"], entry["frame"]) for entry in [*first, *uncertain, *ranked])
    chosen = set(list(names)[:count])
    return [entry for entry in exported if (entry["video"], entry["frame"]) in chosen]


def lowest_confidences(exported: Sequence[LedgerRow], labels: Labels) -> list[LedgerRow]:
    """Return the frame with the lowest confidence of each class, then the second of each class, and so on."""
    by_class: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for number, entry in enumerate(exported):
        row = labels[entry["video"], entry["frame"]]
        for confidence, name in zip(row["confidences"], row["classes"], strict=True):
            by_class[name].append((confidence, number))
    ranked = sorted(
        (turn, confidence, number)
        for of_class in by_class.values()
        for turn, (confidence, number) in enumerate(sorted(of_class))
    )
    return [exported[number] for number in dict.fromkeys(number for *_, number in ranked)]


def in_turn(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield one frame of each video, then a second of each, and so on; both are spread over the whole."""
    by_video: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_video[entry["video"]].append(entry)
    spread_frames = [spread(of_video) for of_video in spread(list(by_video.values()))]
    for turn in range(max(map(len, spread_frames), default=0)):
        yield from (of_video[turn] for of_video in spread_frames if turn < len(of_video))


def spread(items: Sequence[T]) -> list[T]:
    """Reorder items so that the first few are spread over the whole: the first, the middle, the quarters, and so on."""
    bits = max(1, (len(items) - 1).bit_length())
    return [items[i] for i in sorted(range(len(items)), key=lambda i: f"{i:0{bits}b}"[::-1])]


def read_samples(exported: Sequence[LedgerRow], labels: Labels, dataset: Path, names: Sequence[str]) -> list[Sample]:
    """Return images of the dataset with their boxes; `names` are the classes in the order of their numbers."""
    numbers = {name: number for number, name in enumerate(names)}
    return [
        _sample(entry, labels[entry["video"], entry["frame"]], dataset, numbers)
        for entry in pick_samples(exported, labels, SAMPLES)
    ]


def _sample(entry: LedgerRow, row: DetectionRow, dataset: Path, numbers: Mapping[str, int]) -> Sample:
    thumb = thumbnail(dataset / entry["file"], SAMPLE_PX)
    return {
        **thumb,
        "video": entry["video"],
        "split": entry["split"],
        "file": entry["file"],
        "pts_s": entry["pts_s"],
        "boxes": list(_boxes(row, thumb["factor"], numbers)),
        "classes": sorted(set(row["classes"])),
        "numbers": sorted({numbers[name] for name in row["classes"]}),
    }


def _boxes(row: DetectionRow, factor: float, numbers: Mapping[str, int]) -> Iterator[Box]:
    found = sorted(zip(row["confidences"], row["classes"], row["boxes_xyxy_px"], strict=True), reverse=True)
    for confidence, name, box in found[:MAX_BOXES]:
        x1, y1, x2, y2 = (round(px * factor, 1) for px in box)
        yield {
            "x": x1, "y": y1, "width": round(x2 - x1, 1), "height": round(y2 - y1, 1),
            "name": name, "number": numbers[name], "colour": numbers[name] % N_COLOURS, "confidence": confidence,
        }  # fmt: skip


def read_dropped(pictures: Pictures, first: Sequence[str]) -> list[Picture]:
    """Return frames that the filter dropped: those of the videos `first`, then some of each other video in turn."""
    found = {video: sorted((folder / DROPPED).glob("*.jpg")) for video, folder in pictures.filtered.items()}
    ordered = [{"video": video, "frame": path.name} for video in first for path in found[video]]
    others = [{"video": v, "frame": path.name} for v, paths in found.items() if v not in first for path in paths]
    chosen = islice((*ordered, *in_turn(others)), MAX_DROPPED)
    return [pictures.of(f"{entry['video']}/{entry['frame']}", DROPPED) for entry in chosen]


def read_copies(distances: Path, pictures: Pictures) -> dict[str, Any]:
    """Return the distances that deduplicate measured, with the pictures of its pairs."""
    copies: dict[str, Any] = read_json(distances)
    for pair in (pair for pairs in copies["pairs"].values() for pair in pairs):
        pair["pictures"] = [pictures.of(name) for name in pair["frames"]]
    return copies


def read_groups(copy_rows: Sequence[CopyRow], pictures: Pictures) -> list[CopyGroup]:
    """Return groups of copies with pictures of the representative and of its most distant copies."""
    groups: dict[str, list[CopyRow]] = defaultdict(list)
    for verdict in copy_rows:
        if not verdict["keep"]:
            groups[verdict["representative"]].append(verdict)
    return [
        {
            "kept": pictures.of(kept),
            "n_copies": len(groups[kept]),
            "copies": [
                {**pictures.of(f"{row['video']}/{row['frame']}"), "distance_bits": row["distance_bits"]}
                for row in sorted(groups[kept], key=lambda row: -row["distance_bits"])[:MAX_COPIES]
            ],
        }
        for kept in pick_groups(groups, MAX_GROUPS)
    ]


def pick_groups(groups: Mapping[str, Sequence[CopyRow]], count: int) -> list[str]:
    """Return the largest groups, in turn from each set of videos, so that one fixed camera does not take all places."""
    turns: dict[frozenset[str], int] = defaultdict(int)
    ranked = []
    for kept in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        videos = frozenset({kept.rsplit("/", 1)[0], *(row["video"] for row in groups[kept])})
        ranked.append((turns[videos], -len(groups[kept]), kept))
        turns[videos] += 1
    return [kept for *_, kept in sorted(ranked)[:count]]


def read_audit(dataset: Path) -> dict[str, Any]:
    """Return the audit of the splits, with pictures of the closest images of each two splits."""
    audit: dict[str, Any] = read_json(dataset / AUDIT)
    for pair in audit["closest"]:
        pair["pictures"] = [{**thumbnail(dataset / file, PAIR_PX), "caption": file} for file in pair["files"]]
    return audit
