"""A run folder with many videos, and a checkout whose stages per video take no time."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from scripts.core.files import write_json
from scripts.core.schemas import DETECTIONS, FILTER, FRAMES, HASHES
from scripts.core.tables import write_table
from scripts.dedup.hashing import THUMB_PX
from scripts.inputs.model_choice import name_of
from tests.conftest import DEMO, REPO

PARTS = ("Snakefile", "rules", "scripts", "profiles", "envs", "config")
FRAMES_EACH = 3
HOSTS = 50  # of the videos that have URLs; every second one is a file
FAILED_EVERY = 50  # videos of which one failed for a reason that may pass
SIDE_PX = 64
SEEN: dict[str, Any] = {"boxes_xyxy_px": [[1.0, 2.0, 30.0, 20.0]], "classes": ["dog"], "confidences": [0.9]}
MEASURED = {"sharpness": 1.0, "brightness": 1.0, "entropy_bits": 1.0, "keep": True, "reason": ""}
WHOLE = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
# What each stage does here: it takes what was made before the run.
STUBS = {
    "download_video": "mkdir -p {output.media} && cp made/{wildcards.video}/video.json {output.record}",
    "extract_frames": "cp -r made/{wildcards.video}/frames {output}",
    "compile_model": "mkdir {output} && cp made/model.json {output}",
    "filter_frames": "cp -r made/{wildcards.video}/filtered {output.frames} && touch {output.seen}",
    "hash_frames": "cp -r made/{wildcards.video}/hashes {output}",
    "detect_objects": "cp made/{wildcards.video}/detections.parquet {output.table} && touch {output.seen}",
}


def copy_checkout(checkout: Path, folder: Path) -> None:
    """Copy what a run needs of a checkout."""
    folder.mkdir(parents=True)
    for name in PARTS:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "clips", "*.pt"))
        else:
            shutil.copy2(source, folder)


def stubbed_checkout(folder: Path) -> Path:
    """Copy the checkout and put a copying command in place of the script of each stage but the aggregates."""
    copy_checkout(REPO, folder)
    for file in sorted((folder / "rules").glob("*.smk")):
        text = file.read_text()
        for rule, command in STUBS.items():
            text = re.sub(rf'script:\n        "../scripts/\w+/{rule}.py"', f'shell:\n        "{command}"', text)
        file.write_text(text)
    return folder


def lay_out_videos(folder: Path, count: int) -> None:
    """Write the configuration, a table of so many videos, the files that it names, and what the stages will take."""
    (folder / "config").mkdir(parents=True)
    (folder / "clips").mkdir()
    config = yaml.safe_load((DEMO / "config/config.yaml").read_text()) | {
        "cleanup_raw_frames": False,
        "models": {"format": "native"},
    }
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    shutil.copy2(DEMO / "detector.pt", folder)
    sha256 = config["filter"]["weights_sha256"]
    card = {"file": "model.pt", "names": config["filter"]["classes"], "weights": "detector.pt"}
    write_json(folder / "made/model.json", card | {"weights_sha256": sha256})
    list_videos(folder, count)


def list_videos(folder: Path, count: int) -> None:
    """Write a table of so many videos, and make what is not there yet."""
    rows = []
    for number in range(count):
        video = f"v{number:05d}"
        url = f"clips/{video}.mp4" if number % 2 else f"https://host{number % HOSTS}.example/{video}.mp4"
        rows.append(f"{video}\t{url}\t\t\t\tcity")
        if not (folder / "made" / video).exists():
            _make(folder, video, url, number)
    (folder / "config/videos.tsv").write_text("\n".join(["video\turl\tstart_s\tend_s\tsplit\tplace", *rows]) + "\n")


def _make(folder: Path, video: str, url: str, number: int) -> None:
    made, rng = folder / "made" / video, np.random.default_rng(number)
    if number % 2:
        (folder / url).write_bytes(rng.bytes(1000))
    failed = number % FAILED_EVERY == FAILED_EVERY - 2
    media = {"bytes": 1000, "duration_s": 3.0, "sha256": f"{number:064x}"}
    record: dict[str, Any] = {"video": video, "url": url, "status": "ok", "message": "", "media": media, "source": {}}
    record |= {"status": "later", "message": "not yet", "media": None} if failed else {}
    write_json(made / "video.json", record)
    hashes = [f"{value:016x}" for value in rng.integers(2**63, size=0 if failed else FRAMES_EACH).tolist()]
    frames: list[dict[str, Any]] = [
        {"video": video, "frame": f"{i * 1000:09d}.jpg", "width": SIDE_PX, "height": SIDE_PX}
        for i in range(len(hashes))
    ]
    told = [{"pts_s": float(i), "phash": value} | MEASURED for i, value in enumerate(hashes)]
    extracted = [frame | more for frame, more in zip(frames, told, strict=True)]
    write_table(made / "frames/frames.parquet", extracted, FRAMES)
    judged = [row | SEEN | {"passed": True, "background": False} for row in extracted]
    write_table(made / "filtered/filter.parquet", judged, FILTER)
    for frame in frames:
        Image.new("RGB", (SIDE_PX, SIDE_PX), "teal").save(made / "filtered" / frame["frame"])
    hashed = [
        {"frame": frame["frame"], "roles": ["content"], "hashes": [value]} | WHOLE
        for frame, value in zip(frames, hashes, strict=True)
    ]
    write_table(made / "hashes/hashes.parquet", hashed, HASHES)
    np.save(made / "hashes/thumbs.npy", np.zeros((len(frames), THUMB_PX, THUMB_PX, 3), np.uint8))
    write_table(made / "detections.parquet", [frame | SEEN for frame in frames], DETECTIONS)


def lay_results(folder: Path, count: int) -> None:
    """Put into results/ what the stages of each video would have taken there, without running them."""
    results, config = folder / "results", yaml.safe_load((folder / "config/config.yaml").read_text())
    for role in ("filter", "detect"):
        name = name_of(config, role)
        (results / "models" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "made/model.json", results / "models" / name)
    (results / "detections").mkdir()
    for video in (f"v{number:05d}" for number in range(count)):
        made = folder / "made" / video
        (results / "download" / video / "media").mkdir(parents=True)
        shutil.copy2(made / "video.json", results / "download" / video)
        for stage in ("frames", "filtered", "hashes"):
            shutil.copytree(made / stage, results / stage / video)
        shutil.copy2(made / "detections.parquet", results / "detections" / f"{video}.parquet")
