"""Choose the pictures of the report, few enough for a page and of everything that its filters offer."""

import base64
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from scripts.core.files import read_json
from scripts.core.layout import AUDIT, DROPPED

SAMPLE_PX, PAIR_PX = 320, 200  # longer sides
QUALITIES = (70, 40, 15)  # of WebP; the first that is small enough
MOST_BYTES_PER_PX = 0.3  # of the square of the longer side, so that a page of pictures of noise stays bounded, too


T = TypeVar("T")
Row = dict[str, Any]
Labels = Mapping[tuple[str, str], Row]  # by video and frame

SAMPLES = 240
BOXES_SHOWN = 40  # of a picture, the surest
DROPPED_SHOWN = 48  # of the frames that the filter dropped
GROUPS_SHOWN, MEMBERS_SHOWN = 24, 5  # beside the representative
N_COLOURS = 10  # of the page's style


def pick_samples(exported: Sequence[Row], labels: Labels, count: int) -> list[Row]:
    """Return up to `count` exported frames in their order.

    Some show each class in each split; up to a quarter show what the model was least sure of, each class in turn; the
    rest are some of each video.
    """
    ranked = list(in_turn(exported))
    shown: set[tuple[str, str]] = set()
    first = []
    for entry in ranked:
        of_entry = {(name, entry["split"]) for name in labels[entry["video"], entry["frame"]]["classes"]}
        if not of_entry <= shown:
            first.append(entry)
            shown |= of_entry
    unsure = least_sure(exported, labels)[: count // 4]
    names = dict.fromkeys((entry["video"], entry["frame"]) for entry in [*first, *unsure, *ranked])
    chosen = set(list(names)[:count])
    return [entry for entry in exported if (entry["video"], entry["frame"]) in chosen]


def least_sure(exported: Sequence[Row], labels: Labels) -> list[Row]:
    """Return frames in which a class is least sure: the first of each class, then the second of each, and so on."""
    by_class: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for number, entry in enumerate(exported):
        row = labels[entry["video"], entry["frame"]]
        for confidence, name in zip(row["confidences"], row["classes"], strict=True):
            by_class[name].append((confidence, number))
    turns = (enumerate(sorted(of_class)) for of_class in by_class.values())
    ranked = sorted((turn, confidence, number) for of_class in turns for turn, (confidence, number) in of_class)
    return [exported[number] for number in dict.fromkeys(number for *_, number in ranked)]


def in_turn(entries: Sequence[Row]) -> Iterator[Row]:
    """Yield one frame of each video, then another of each; frames and videos far from each other come first."""
    by_video: dict[str, list[Row]] = defaultdict(list)
    for entry in entries:
        by_video[entry["video"]].append(entry)
    spread_frames = [spread(of_video) for of_video in spread(list(by_video.values()))]
    for turn in range(max(map(len, spread_frames), default=0)):
        yield from (of_video[turn] for of_video in spread_frames if turn < len(of_video))


def spread(items: Sequence[T]) -> list[T]:
    """Return items so that those of any first few are spread over the whole: first, middle, quarters, and so on."""
    bits = max(1, (len(items) - 1).bit_length())
    return [items[i] for i in sorted(range(len(items)), key=lambda i: f"{i:0{bits}b}"[::-1])]


def read_samples(exported: Sequence[Row], labels: Labels, dataset: Path, names: Sequence[str]) -> list[Row]:
    """Return pictures of the dataset with their boxes; `names` are the classes in the order of their numbers."""
    numbers = {name: number for number, name in enumerate(names)}
    return [
        entry
        | (thumb := thumbnail(dataset / entry["file"], SAMPLE_PX))
        | {"boxes": list(_boxes(row, thumb["factor"], numbers)), "classes": sorted(set(row["classes"]))}
        | {"numbers": sorted({numbers[name] for name in row["classes"]})}
        for entry in pick_samples(exported, labels, SAMPLES)
        for row in [labels[entry["video"], entry["frame"]]]
    ]


def _boxes(row: Row, factor: float, numbers: Mapping[str, int]) -> Iterator[Row]:
    found = sorted(zip(row["confidences"], row["classes"], row["boxes_xyxy_px"], strict=True), reverse=True)
    for confidence, name, box in found[:BOXES_SHOWN]:
        x1, y1, x2, y2 = (round(px * factor, 1) for px in box)
        yield {"x": x1, "y": y1, "width": round(x2 - x1, 1), "height": round(y2 - y1, 1)} | {
            "name": name, "number": numbers[name], "colour": numbers[name] % N_COLOURS, "confidence": confidence,
        }  # fmt: skip


class Pictures:
    """Small pictures of frames that passed the filter, with the words that stand beside them."""

    def __init__(self, filtered: Mapping[str, Path], times_s: Mapping[str, float]) -> None:
        """Take the folder of each video's pictures, and the time of each video/frame."""
        self.filtered, self.times_s = filtered, times_s

    def of(self, name: str, folder: str = "") -> Row:
        """Return the picture of video/frame, which lies in this folder beside those that passed."""
        video, frame = name.rsplit("/", 1)
        return thumbnail(self.filtered[video] / folder / frame, PAIR_PX) | {
            "seen": f"{video} at {self.times_s[name]:g}\N{NO-BREAK SPACE}s"
        }


def read_dropped(pictures: Pictures, first: Sequence[str]) -> list[Row]:
    """Return pictures of what the filter dropped: of the `first` videos, then some of each other one in turn."""
    found = {video: sorted((folder / DROPPED).glob("*.jpg")) for video, folder in pictures.filtered.items()}
    ordered = [{"video": video, "frame": path.name} for video in first for path in found[video]]
    others = [{"video": v, "frame": path.name} for v, paths in found.items() if v not in first for path in paths]
    chosen = islice((*ordered, *in_turn(others)), DROPPED_SHOWN)
    return [pictures.of(f"{entry['video']}/{entry['frame']}", DROPPED) for entry in chosen]


def read_copies(distances: Path, pictures: Pictures) -> Row:
    """Return what deduplicate measured, with the pictures of its pairs."""
    copies: Row = read_json(distances)
    for pair in (pair for pairs in copies["pairs"].values() for pair in pairs):
        pair["pictures"] = [pictures.of(name) for name in pair["frames"]]
    return copies


def read_groups(verdicts: Sequence[Row], pictures: Pictures) -> list[Row]:
    """Return groups of copies with their pictures, the representative first, then those furthest from it."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for verdict in verdicts:
        if not verdict["keep"]:
            groups[verdict["representative"]].append(verdict)
    return [
        {
            "kept": pictures.of(kept),
            "n_copies": len(groups[kept]),
            "copies": [
                pictures.of(f"{row['video']}/{row['frame']}") | {"distance_bits": row["distance_bits"]}
                for row in sorted(groups[kept], key=lambda row: -row["distance_bits"])[:MEMBERS_SHOWN]
            ],
        }
        for kept in pick_groups(groups, GROUPS_SHOWN)
    ]


def pick_groups(groups: Mapping[str, Sequence[Row]], count: int) -> list[str]:
    """Return the largest groups, in turn from each set of videos, so that one with a fixed camera does not fill all."""
    turns: dict[frozenset[str], int] = defaultdict(int)
    ranked = []
    for kept in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        of = frozenset({kept.rsplit("/", 1)[0], *(row["video"] for row in groups[kept])})
        ranked.append((turns[of], -len(groups[kept]), kept))
        turns[of] += 1
    return [kept for *_, kept in sorted(ranked)[:count]]


def read_audit(dataset: Path) -> Row:
    """Return the audit of the splits, with the pictures of the closest images of each two splits."""
    audit: Row = read_json(dataset / AUDIT)
    for pair in audit["closest"]:
        pair["pictures"] = [thumbnail(dataset / file, PAIR_PX) | {"seen": file} for file in pair["files"]]
    return audit


def thumbnail(path: Path, side_px: int) -> dict[str, Any]:
    """Return a picture as a data URL, scaled to this longer side, with its size and by what it was scaled."""
    with Image.open(path) as picture:
        width = picture.width
        picture.draft("RGB", (side_px, side_px))  # decodes fewer pixels of a large JPEG, never less than asked for
        thumb = picture.convert("RGB")
    factor = side_px / max(thumb.size)
    size = (max(1, round(thumb.width * factor)), max(1, round(thumb.height * factor)))
    return {
        "src": data_url(thumb.resize(size), MOST_BYTES_PER_PX * side_px**2),
        "width": size[0],
        "height": size[1],
        "factor": size[0] / width,
    }


def data_url(thumb: Image.Image, most_bytes: float) -> str:
    """Return a picture as WebP in a data URL, as good as fits."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        thumb.save(buffer, "WEBP", quality=quality)
        if buffer.tell() <= most_bytes:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
