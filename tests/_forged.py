"""A run of the size and the malice that a report must bear: 10,000 frames of noise, and titles that attack."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.core.files import write_json
from scripts.core.layout import DROPPED
from scripts.core.schemas import COPIES, DETECTIONS, FILTER, LEDGER
from scripts.core.tables import write_table
from scripts.detection.filter_frames import DROPPED_KEPT
from scripts.report.report import Sources, report
from tests._gathered import gather
from tests._planted import CONFIGURED, made_with

ATTACKS = (
    "=HYPERLINK(1)",
    "</script><script>window.attacked = 1</script>",
    '"><img src=x onerror="window.attacked=1">',
)
CLASSES = ("cat", "dog", "<b>bird</b>")
N_VIDEOS, N_FRAMES = 100, 100  # of each video
FAILED = {7: "blocked", 8: "unavailable", 9: "blocked"}
SIZE_PX = (640, 360)
Row = dict[str, Any]


def split_of(number: int) -> str:
    """Return the split of the video with this number."""
    return "test" if number % 10 == 1 else "val" if number % 10 == 2 else "train"


def forge(folder: Path) -> Path:
    """Lay out the tables and pictures of such a run, and return the page made of them."""
    noise = list(_pictures(folder / "noise"))
    ledger: list[Row] = []
    verdicts: list[Row] = []
    folders, videos = {}, {}
    for number in range(N_VIDEOS):
        video = f"video-{number:03d}"
        videos[video] = {"split": "", "extra": {"title": ATTACKS[number % 3], "license": "CC-BY"}}
        folders[video] = {name: folder / name / video for name in ("record", "filtered", "detections")}
        frames = [] if number in FAILED else [_frame(video, number, index) for index in range(N_FRAMES)]
        _lay_out(folders[video], number, frames)
        ledger += [_fate(frame, number) for frame in frames]
        verdicts += [_verdict(frame) for frame in frames if frame["passed"]]
        for frame in (frame for frame in frames if frame["passed"]):
            picture = noise[(number * 7 + int(frame["pts_s"])) % len(noise)]
            _link(picture, folders[video]["filtered"] / frame["frame"])
            _link(picture, folder / "dataset" / _file(frame, number))
        for frame in [frame for frame in frames if frame["reason"] == "too_few_objects"][:DROPPED_KEPT]:
            _link(noise[number % len(noise)], folders[video]["filtered"] / DROPPED / frame["frame"])
    _lay_out_aggregates(folder, ledger, verdicts)
    tables = (folder / "copies.parquet", folder / "distances.json", folder / "dataset")
    filtered = {video: paths["filtered"] for video, paths in folders.items()}
    sources = Sources(gather(folder, folders), filtered, *tables, CONFIGURED, made_with(folder))
    report(videos, sources, folder / "report.html", folder / "registry.tsv")
    return folder / "report.html"


def _pictures(folder: Path) -> Iterator[Path]:
    """Write pictures of noise: none takes more bytes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        path = folder / f"{number}.jpg"
        Image.fromarray(rng.integers(0, 255, (SIZE_PX[1], SIZE_PX[0], 3), np.uint8)).save(path, quality=95)
        yield path


def _frame(video: str, number: int, index: int) -> Row:
    """Return a candidate: of ten, one is blurred, one shows nothing, one is a copy of the one before."""
    fault = {3: "blurred", 4: "too_few_objects"}.get(index % 10, "")
    kept = index % 10 != 3
    box = [10.0 * (index % 30), 5.0 * (index % 40), 10.0 * (index % 30) + 8 * (1 + number % 20), 300.0]
    return {"video": video, "frame": f"{1000 * index:09d}.jpg", "width": SIZE_PX[0], "height": SIZE_PX[1]} | {
        "pts_s": float(index), "sharpness": float(index * 9), "brightness": float(index % 256), "entropy_bits": 5.0,
        "phash": "0" * 16, "keep": kept, "boxes_xyxy_px": [box] * 2 if not fault else [], "passed": not fault,
        "classes": [CLASSES[number % 3], CLASSES[index % 2]] if not fault else [], "background": False,
        "confidences": [0.9 - number / 500, 0.3 + index / 200] if not fault else [], "reason": fault,
        "value": float(index) if fault else None, "threshold": 50.0 if fault else None,
    }  # fmt: skip


def _is_copy(frame: Row) -> bool:
    return int(frame["pts_s"]) % 10 == 6


def _file(frame: Row, number: int) -> str:
    return f"images/{split_of(number)}/{frame['video']}__{frame['frame']}"


def _fate(frame: Row, number: int) -> Row:
    entry = {name: frame[name] for name in ("video", "frame", "pts_s", "reason", "value", "threshold")}
    if not frame["passed"]:
        return entry | {"stage": "filter_frames" if frame["keep"] else "extract_frames", "split": "", "file": ""}
    if _is_copy(frame):
        return entry | {"stage": "deduplicate", "reason": "duplicate of x", "split": "", "file": ""}
    return entry | {"stage": "export_dataset", "split": split_of(number), "file": _file(frame, number)}


def _verdict(frame: Row) -> Row:
    kept = f"{1000 * (int(frame['pts_s']) - _is_copy(frame)):09d}.jpg"
    name = {"video": frame["video"], "frame": frame["frame"], "keep": not _is_copy(frame), "near_misses": []}
    return name | {"representative": f"{frame['video']}/{kept}", "distance_bits": 3 * _is_copy(frame)}


def _lay_out(paths: dict[str, Path], number: int, frames: list[Row]) -> None:
    status = FAILED.get(number, "ok")
    record: Row = {"status": status, "message": ATTACKS[2] if number in FAILED else "", "source": {}}
    media = {"duration_s": 100.0, "bytes": 1_000_000 + number} if status == "ok" else None
    address = "javascript:attack()" if number % 2 else f"https://example.org/{number}"
    write_json(paths["record"], record | {"media": media, "url": address})
    paths["filtered"].mkdir(parents=True)
    write_table(paths["filtered"] / "filter.parquet", frames, FILTER)
    columns = ("video", "frame", "width", "height", "boxes_xyxy_px", "classes", "confidences")
    kept = [{name: frame[name] for name in columns} for frame in frames if frame["passed"] and not _is_copy(frame)]
    write_table(paths["detections"], kept, DETECTIONS)


def _lay_out_aggregates(folder: Path, ledger: list[Row], verdicts: list[Row]) -> None:
    write_table(folder / "copies.parquet", verdicts, COPIES)
    write_table(folder / "dataset/ledger.parquet", ledger, LEDGER)
    pair = {"frames": ["video-000/000006000.jpg", "video-000/000005000.jpg"], "roles": ["content", "content"]}
    n_copies = sum(not verdict["keep"] for verdict in verdicts)
    distances: Row = {
        "max_distance_bits": 8, "kept": len(verdicts) - n_copies, "looked_up": 5000, "within_video": n_copies,
        "of_another_video": 0, "roles": [], "counts": {"dropped": [0, 0, 0, n_copies], "told_apart": [], "kept": []},
        "pairs": {kind: [pair | {"distance_bits": 3}] * 12 for kind in ("dropped", "told_apart", "kept")},
    }  # fmt: skip
    write_json(folder / "distances.json", distances)
    splits: Row = {split: {"wanted_share": 0.3, "images": 1, "image_share": 0.3} for split in ("train", "val", "test")}
    splits = {name: row | {"groups": 1, "group_share": 0.3, "worst_class": None} for name, row in splits.items()}
    audit: Row = {
        "warnings": [ATTACKS[1]], "splits": splits, "split_by": "video", "seed": 0, "groups": 97,
        "largest_group": {"image_share": 0.01}, "naive": {"share": None}, "suggestion": {"is_configured": True},
        "closest": [], "conflicts": [], "max_distance_bits": 8, "absent_classes": ["unicorn"],
    }  # fmt: skip
    write_json(folder / "dataset/audit.json", audit)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
