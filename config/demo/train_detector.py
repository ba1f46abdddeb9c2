"""Train the demo's detector on drawn scenes and measure it on scenes that it never saw.

    python config/demo/train_detector.py        about half an hour on two cores

Writes detector.pt and detector.json (its sha256, size and held-out figures) beside this file.
"""

import argparse
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import yaml
from _scenes import KINDS, draw_scene, make_scene
from PIL import Image

HERE = Path(__file__).parent
SIZE_PX = (320, 180)
SEEDS = {"train": (1_000_000, 1600), "val": (2_000_000, 200), "test": (3_000_000, 400)}  # first seed, images
SCALE = [0.33, 0.125, 512]  # depth, width and channel limit: half as wide as the smallest published YOLO11


def main() -> None:
    """Draw, train, measure, and write the detector without anything that tells of this machine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=28)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(work)}
        for split, (first_seed, count) in SEEDS.items():
            draw_split(work / split, first_seed, count)
        train(work, args.epochs)
        save_clean(work / "run/weights/best.pt", HERE / "detector.pt")
        figures = measure(work, HERE / "detector.pt")
    (HERE / "detector.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def draw_split(folder: Path, first_seed: int, count: int) -> None:
    """Draw `count` scenes as images/ and labels/ in YOLO's layout."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    wide, high = SIZE_PX
    for seed in range(first_seed, first_seed + count):
        rng = np.random.default_rng([seed, 2])
        kinds = [KINDS[k] for k in rng.integers(0, len(KINDS), rng.integers(0, 7))]
        image, boxes = draw_scene(make_scene(seed, kinds, bool(rng.random() < 0.25)), rng.uniform(0, 3), wide, high)
        film(image, rng).save(folder / "images" / f"{seed}.png")
        rows = [
            f"{KINDS.index(kind)} {(x1 + x2) / 2 / wide:.6f} {(y1 + y2) / 2 / high:.6f}"
            f" {(x2 - x1) / wide:.6f} {(y2 - y1) / high:.6f}\n"
            for kind, x1, y1, x2, y2 in boxes
        ]
        (folder / "labels" / f"{seed}.txt").write_text("".join(rows))


def film(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Spoil a drawn picture as a video codec would: sometimes half the detail, always some compression."""
    size = image.size
    if rng.random() < 0.3:
        image = image.resize((size[0] // 2, size[1] // 2), Image.Resampling.BILINEAR).resize(size)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(35, 96)))
    return Image.open(buffer)


def train(work: Path, epochs: int) -> None:
    """Train into work/run."""
    import ultralytics

    model_yaml = Path(ultralytics.__file__).parent / "cfg/models/11/yolo11.yaml"
    layers = yaml.safe_load(model_yaml.read_text()) | {"nc": len(KINDS), "scales": {"n": SCALE}}
    (work / "detector.yaml").write_text(yaml.safe_dump(layers))
    data = {s: f"{s}/images" for s in SEEDS} | {"path": str(work), "names": dict(enumerate(KINDS))}
    (work / "data.yaml").write_text(yaml.safe_dump(data))
    model = ultralytics.YOLO(str(work / "detector.yaml"))
    model.train(
        data=str(work / "data.yaml"), imgsz=SIZE_PX[0], epochs=epochs, batch=32, device="cpu", workers=1, seed=0,
        project=str(work), name="run", plots=False, cache="ram", close_mosaic=15, optimizer="AdamW", lr0=0.003,
        scale=0.4, cos_lr=True,
    )  # fmt: skip


def save_clean(source: Path, target: Path) -> None:
    """Keep the weights and class names; leave paths, dates and the training record behind."""
    import torch

    checkpoint = torch.load(source, map_location="cpu", weights_only=False)
    model = (checkpoint.get("ema") or checkpoint["model"]).half()
    model.args = {"imgsz": SIZE_PX[0], "task": "detect"}
    model.yaml_file = None
    model.yaml = {k: v for k, v in model.yaml.items() if k != "yaml_file"}
    torch.save({"model": model, "train_args": {"imgsz": SIZE_PX[0], "task": "detect"}, "epoch": -1}, target)


def measure(work: Path, weights: Path) -> dict[str, object]:
    """Measure the saved weights on the test scenes."""
    import ultralytics

    result = ultralytics.YOLO(str(weights)).val(
        data=str(work / "data.yaml"), split="test", imgsz=SIZE_PX[0], device="cpu", plots=False, project=str(work)
    )
    return {
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "bytes": weights.stat().st_size,
        "held_out_images": SEEDS["test"][1],
        "map50": round(float(result.box.map50), 4),
        "map50_95": round(float(result.box.map), 4),
        "precision": round(float(result.box.mp), 4),
        "recall": round(float(result.box.mr), 4),
        "map50_by_class": {k: round(float(v), 4) for k, v in zip(KINDS, result.box.ap50, strict=True)},
    }


if __name__ == "__main__":
    main()
