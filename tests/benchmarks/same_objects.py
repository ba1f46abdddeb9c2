"""Measure on real fixed cameras how many dropped frames show another object than their representative.

python -m tests.benchmarks.same_objects FOLDER [--write]      two minutes; with --write into docs/same_objects.tsv

FOLDER has the videos that same_objects.tsv names; those that are absent are left out. Intel's are on GitHub
(intel-iot-devkit/sample-videos, its GIF in preview/), vtest.avi is in Debian's package opencv-doc. The labels tell when
an object is clearly in view. A dropped frame is a false copy if an object that is clear in one of the two frames is
not in the other: MARGIN_S or more before it comes or after it went.
"""

import argparse
import csv
import hashlib
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from scripts.core.schemas import FILTER
from scripts.core.tables import read_rows, write_table
from scripts.dedup import same_objects
from scripts.dedup.deduplicate import Rules, deduplicate
from scripts.dedup.features import VideoFiles
from scripts.dedup.hash_frames import hash_frames
from scripts.model.inference import Inference
from tests._gathered import gather_frames
from tests._infer import detect_alone
from tests._models import compiled
from tests.conftest import REAL, REPO

LABELS = Path(__file__).with_suffix(".tsv")
OUT = REPO / "docs/same_objects.tsv"
MARGIN_S = 1.5
RULES = Rules(8, True, False, "best", {"resolution": 1.0, "sharpness": 0.1, "confidence": 1.0})
MEASURED = {"sharpness": 1.0, "brightness": 1.0, "entropy_bits": 1.0, "phash": "0" * 16}
STEP_S = {"car-detection.mp4": 0.08, "vtest.avi": 0.2, "store-aisle-detection.gif": 0.2}  # where things move on
DEFAULT_STEP_S = 0.5

Interval = tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """A video, its sha256, and when each object is clearly in view."""

    name: str
    sha256: str
    seen_s: dict[tuple[str, str], list[Interval]]


def cameras() -> list[Camera]:
    """Return the labelled videos."""
    found: dict[str, Camera] = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            camera = found.setdefault(row["video"], Camera(row["video"], row["sha256"], defaultdict(list)))
            camera.seen_s[row["identity"], row["place"]].append((float(row["start_s"]), float(row["end_s"])))
    return list(found.values())


def shows_another(camera: Camera, one_s: float, other_s: float) -> bool:
    """Tell whether an object that is clear at one time is surely not there at the other."""
    return any(
        any(start <= a <= end for start, end in intervals)
        and all(b < start - MARGIN_S or b > end + MARGIN_S for start, end in intervals)
        for intervals in camera.seen_s.values()
        for a, b in ((one_s, other_s), (other_s, one_s))
    )


def lay_out(video: Path, folder: Path) -> list[Path]:
    """Write a picture each step, named by its time in ms."""
    folder.mkdir(parents=True)
    files, due_s, step_s = [], 0.0, STEP_S.get(video.name, DEFAULT_STEP_S)
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time + 1e-6 >= due_s:
                files.append(folder / f"{round(frame.time * 1000):09d}.jpg")
                frame.to_image().save(files[-1], quality=92)
                due_s += step_s * max(1, math.ceil((frame.time - due_s + 1e-6) / step_s))
    return files


def filter_all(files: Iterable[Path], work: Path) -> None:
    """Write a filter.parquet beside the pictures, by the real model; pictures with any object pass."""
    model = compiled(REAL / "model/yolo11n_int8_openvino_model", 640, work / "model")
    rows: dict[Path, list[dict[str, Any]]] = defaultdict(list)
    for seen in detect_alone(model, list(files), Inference(0.25, 0.7, 640, ()), work / "work", threads=2):
        with av.open(str(seen.image)) as picture:
            size = {"width": picture.streams.video[0].width, "height": picture.streams.video[0].height}
        found = {"boxes_xyxy_px": seen.boxes_xyxy_px, "classes": seen.classes, "confidences": seen.confidences}
        fate = {"keep": True, "passed": bool(seen.classes), "background": False}
        folder = seen.image.parent
        rows[folder].append({"video": folder.name, "frame": seen.image.name} | size | MEASURED | found | fate)
    for folder, of_video in rows.items():
        write_table(folder / "filter.parquet", sorted(of_video, key=lambda row: str(row["frame"])), FILTER)


def dropped(folder: Path, look: float) -> list[tuple[float, float]]:
    """Return the times of each dropped frame and of its representative, if counterparts may differ by `look`."""
    before, same_objects.SAME_LOOK = same_objects.SAME_LOOK, look
    sources = {folder.name: VideoFiles(folder / "filter.parquet", folder / "hashes")}
    shard = gather_frames(folder / "gathered", sources)
    deduplicate(sources, [shard], RULES, *(folder / name for name in ("copies.parquet", "kept.json", "bits.json")))
    same_objects.SAME_LOOK = before
    copies = read_rows(folder / "copies.parquet")
    return [(_time_s(c["frame"]), _time_s(c["representative"])) for c in copies if not c["keep"]]


def _time_s(frame: str) -> float:
    return int(Path(frame).stem) / 1000


def measure(camera: Camera, folder: Path) -> dict[str, str]:
    """Return a row of the table: dropped frames and false copies, by places alone and with looks."""
    hash_frames(folder, "phash", folder / "hashes")
    row = {"camera": camera.name, "frames": str(sum(r["passed"] for r in read_rows(folder / "filter.parquet")))}
    for name, look in {"places": math.inf, "looks": same_objects.SAME_LOOK}.items():
        pairs = dropped(folder, look)
        false = sum(shows_another(camera, *pair) for pair in pairs)
        row |= {f"{name}_dropped": str(len(pairs)), f"{name}_false": str(false)}
        row |= {f"{name}_share": f"{false / max(len(pairs), 1):.3f}"}
    return row


def main() -> None:
    """Measure, print or write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--write", action="store_true", help="into docs/")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        here = [camera for camera in cameras() if _is_here(given.folder / camera.name, camera.sha256)]
        folders = {camera.name: Path(name) / Path(camera.name).stem for camera in here}
        files = [file for camera in here for file in lay_out(given.folder / camera.name, folders[camera.name])]
        filter_all(files, Path(name) / "detector")
        rows = [measure(camera, folders[camera.name]) for camera in here]
    text = "".join("\t".join(cells) + "\n" for cells in (list(rows[0]), *(list(row.values()) for row in rows)))
    print(text, end="")
    if given.write:
        OUT.write_text(text, encoding="utf-8")


def _is_here(video: Path, sha256: str) -> bool:
    return video.exists() and hashlib.sha256(video.read_bytes()).hexdigest() == sha256


if __name__ == "__main__":
    main()
