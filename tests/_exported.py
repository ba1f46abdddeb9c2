"""A small dataset exported by the real stage, with names and ids that formats trip over."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts.core.files import write_json
from scripts.core.schemas import COPIES, DETECTIONS, FILTER
from scripts.core.tables import write_table
from scripts.dataset.export_dataset import export_dataset
from tests._gathered import gather

CLASSES = ['chien: "vélo"', "it's #1, 犬"]
FORMATS = ["yolo", "coco", "parquet", "webdataset", "imagefolder"]
SIZE_PX = (96, 64)
CLIP: dict[str, Any] = {"start_s": 0.0, "end_s": None, "max_height_px": 720, "max_side_px": 0, "jpeg_qscale": 2,
                        "hdr": "tonemap"}  # fmt: skip
RECORD: dict[str, Any] = {"status": "ok", "message": "", "source": {}, "media": {"sha256": "0" * 64}}

Boxes = list[tuple[list[float], int, float]]  # xyxy px, class number, confidence

NamedBoxes = list[tuple[list[float], str]]  # xyxy px, class name: what a library found
BOX = ([1.0, 2.0, 30.0, 40.0], 0, 0.5)

# Per video its split and its kept frames by milliseconds; no video is in `test`.
Frames = dict[str, tuple[str, dict[int, Boxes]]]
FRAMES: Frames = {
    "0.clip.v2": ("train", {
        0: [([4.0, 6.5, 40.25, 50.0], 0, 0.9), ([50.0, 10.0, 90.0, 60.0], 1, 0.8125)],
        1000: [([10.0, 10.0, 30.0, 30.0], 1, 0.5)],
        2000: [],
        3000: [],
    }),
    "0_clip_v2": ("train", {0: [([0.0, 0.0, 96.0, 64.0], 0, 0.75)], 500: [([1.0, 2.0, 33.33, 44.44], 0, 0.6)]}),
    "1st-video": ("val", {0: [([20.0, 20.0, 60.0, 60.0], 0, 0.7)], 40: [([5.0, 5.0, 25.0, 45.0], 1, 0.7)]}),
}  # fmt: skip


def settings(negatives_share: float = 0.5, formats: list[str] = FORMATS) -> dict[str, Any]:
    """Return the settings that the export reads, and one that its card only tells."""
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    dataset = {"splits": shares, "seed": 0, "split_by": "video", "negatives_share": negatives_share, "formats": formats}
    return {"frames": {"mode": "interval"}, "dedup": {"max_distance_bits": 8}, "detect": {"classes": []}} | {
        "dataset": dataset
    }


def export(
    folder: Path, chosen: dict[str, Any], credits: dict[str, str] | None = None, frames: Frames = FRAMES
) -> Path:
    """Lay out what the stages before hand on, run the export, and return the dataset's folder."""
    rng = np.random.default_rng(0)
    folders = {video: _lay_out(folder, video, of_video, rng) for video, (_, of_video) in frames.items()}
    names = [(video, f"{ms:09d}.jpg") for video, (_, of_video) in frames.items() for ms in of_video]
    verdicts: list[dict[str, Any]] = [
        {"video": v, "frame": f, "keep": True, "representative": f"{v}/{f}", "near_misses": []} for v, f in names
    ]
    far = np.random.default_rng(1).integers(2**63, size=len(names)).tolist()
    verdicts = [row | {"hash": f"{value:016x}"} for row, value in zip(verdicts, far, strict=True)]
    write_table(folder / "copies.parquet", verdicts, COPIES)
    card = {"names": CLASSES, "weights": "small|model.pt", "weights_sha256": "0" * 64}
    export_dataset(
        videos={
            v: CLIP | {"url": f"https://a.b/{v}", "split": s, "extra": credits or {}} for v, (s, _) in frames.items()
        },
        shards=gather(folder, folders),
        filtered={video: paths["filtered"] for video, paths in folders.items()},
        copies=folder / "copies.parquet",
        out=folder / "dataset",
        models={"filter": card, "detect": card},
        settings=chosen,
    )
    return folder / "dataset"


def _lay_out(folder: Path, video: str, frames: dict[int, Boxes], rng: np.random.Generator) -> dict[str, Path]:
    filtered = folder / "filtered" / video
    filtered.mkdir(parents=True)
    candidates, labelled = [], []
    for ms, boxes in frames.items():
        name = f"{ms:09d}.jpg"
        Image.fromarray(rng.integers(0, 255, (SIZE_PX[1], SIZE_PX[0], 3), np.uint8)).save(filtered / name)
        frame = {"video": video, "frame": name, "width": SIZE_PX[0], "height": SIZE_PX[1]}
        found = {
            "boxes_xyxy_px": [box for box, _, _ in boxes],
            "classes": [CLASSES[number] for _, number, _ in boxes],
            "confidences": [score for _, _, score in boxes],
        }
        fate = {"keep": True, "passed": True, "background": not boxes, "reason": ""}
        candidates.append(frame | {"pts_s": ms / 1000} | found | fate)
        labelled.append(frame | found)
    write_table(filtered / "filter.parquet", candidates, FILTER)
    write_table(folder / "detections" / f"{video}.parquet", labelled, DETECTIONS)
    write_json(folder / "download" / video / "video.json", RECORD | {"url": f"https://a.b/{video}"})
    return {
        "record": folder / "download" / video / "video.json",
        "filtered": filtered,
        "detections": folder / "detections" / f"{video}.parquet",
    }


def truth() -> dict[str, dict[str, list[tuple[list[float], str]]]]:
    """Return the boxes and class names of each image by split and the image's stem, if no share bounds backgrounds."""
    images: dict[str, dict[str, list[tuple[list[float], str]]]] = {"train": {}, "val": {}, "test": {}}
    for video, (split, frames) in FRAMES.items():
        for ms, boxes in frames.items():
            images[split][f"{video}__{ms:09d}"] = [(box, CLASSES[number]) for box, number, _ in boxes]
    return images


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def assert_same(found: dict[str, NamedBoxes], split: str, tolerance_px: float = 0.01) -> None:
    """Assert that these boxes (xyxy px) and names, by stem of the image, are those of the split."""
    assert set(found) == set(truth()[split])
    for stem, boxes in truth()[split].items():
        assert [name for _, name in found[stem]] == [name for _, name in boxes], stem
        for (box, _), (wanted, _) in zip(found[stem], boxes, strict=True):
            assert list(box) == pytest.approx(wanted, abs=tolerance_px), stem


def corners(box: list[float]) -> list[float]:
    left, top, wide, high = box
    return [left, top, left + wide, top + high]
