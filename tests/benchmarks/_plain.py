"""What the two hand-written designs share: fetch a video, take its frames, keep those that show something.

Written as somebody would who knows the libraries: one model for all videos, loaded once, asked in ultralytics' way.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.media.probe import ffmpeg_exe

SELECT = "select=isnan(prev_selected_t)+gt(floor(t/{s}+1e-6)\\,floor(prev_selected_t/{s}+1e-6))"
SCALE = "scale=out_range=full:out_color_matrix=bt601:flags=bicubic,format=yuvj420p"
JPEGS = "-fps_mode passthrough -enc_time_base 1:1000 -frame_pts 1 -c:v mjpeg -q:v 2 %09d.jpg"


@dataclass
class Task:
    """What is asked of a design, from the file that the benchmark wrote."""

    videos: dict[str, str]
    model: str
    interval_s: float
    confidence: float
    imgsz_px: int
    classes: list[str]
    out: str
    filter_s: float = 0.0
    frames: int = 0
    yolo: Any = field(default=None, repr=False)

    @classmethod
    def read(cls) -> "Task":
        """Return the task named on the command line."""
        return cls(**json.loads(Path(sys.argv[1]).read_text()))

    def tell(self) -> None:
        """Print what the benchmark wants to know beside times and memory."""
        print(json.dumps({"frames": self.frames, "filter_s": self.filter_s}))


def frames_command(media: Path, interval_s: float) -> list[str]:
    """Return ffmpeg's command that writes a JPEG each so many seconds, named by its time, into the working folder."""
    filters = f"{SELECT.format(s=interval_s)},{SCALE}"
    return [ffmpeg_exe(), "-v", "error", "-i", str(media), "-vf", filters, *JPEGS.split()]


def load(task: Task) -> None:
    """Load the model."""
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false"}
    from ultralytics import YOLO

    task.yolo = YOLO(task.model, task="detect")


def ask(task: Task, frames: Path) -> list[Path]:
    """Return the frames of a folder that show a wanted object."""
    began, kept = time.monotonic(), []
    names = task.yolo.names
    classes = [key for key, name in names.items() if name in task.classes] or None
    first = task.yolo.predictor is None
    settings = {"conf": task.confidence, "imgsz": task.imgsz_px, "classes": classes, "verbose": False}
    if first:
        task.yolo.predict(next(frames.glob("*.jpg")), **settings)
        same_precision(task.yolo)
    batch = 16 if task.model.endswith(".pt") else 1
    for result in task.yolo.predict(str(frames), stream=True, batch=batch, **settings):
        task.frames += 1
        if len(result.boxes):
            kept.append(Path(result.path))
    task.filter_s += time.monotonic() - began
    return kept


def same_precision(yolo: Any) -> None:
    """Have OpenVINO compute in the workflow's precision, which costs no more, so that frames can be compared."""
    backend = yolo.predictor.model.backend
    if hasattr(backend, "ov_compiled_model"):
        xml = next(Path(yolo.ckpt_path or yolo.model).glob("*.xml"))
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        backend.ov_compiled_model = backend.ov.Core().compile_model(str(xml), "CPU", config)


def keep(task: Task, video: str, frames: Path, kept: list[Path]) -> None:
    """Move the frames worth keeping to where the benchmark looks for them; delete the others."""
    target = Path(task.out) / video
    target.mkdir(parents=True)
    for frame in kept:
        frame.rename(target / frame.name)
    for frame in frames.glob("*.jpg"):
        frame.unlink()


def download(url: str, media: Path) -> None:
    """Fetch a video."""
    from yt_dlp import YoutubeDL

    with YoutubeDL({"outtmpl": str(media), "quiet": True, "noprogress": True}) as client:
        client.download([url])


def extract(media: Path, frames: Path, interval_s: float) -> None:
    """Take the frames of a video."""
    subprocess.run(frames_command(media, interval_s), cwd=frames, check=True, stdin=subprocess.DEVNULL)
