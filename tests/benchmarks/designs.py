"""Compare the workflow with two hand-written designs, from URLs to filtered frames, with the same model and settings.

python -m tests.benchmarks.designs [--rounds 3] [--sets clips,mixed,dense,usual,sparse,weights,long] [--write]

The designs run in turns, so that a busy machine slows all of them. Ratios are taken per round and reported as medians.
The videos come from a server on this machine. The comparison stops if the designs do not keep the same frames.
`--write` writes docs/designs.*.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from scripts.media.probe import ffmpeg_exe
from tests._server import FaultServer
from tests.benchmarks._designs_page import COLUMNS, Outcome, Round, engine, table, write
from tests.benchmarks._measure import measure
from tests.conftest import DEMO, REAL

CORES = 2


@dataclass(frozen=True)
class Set:
    """Videos, the interval between frames, and whether the model is compiled or given as .pt weights.

    With `longest_s`, the videos' lengths grow evenly from `seconds` to it.
    """

    count: int
    seconds: float
    interval_s: float
    compiled: bool = True
    longest_s: float = 0.0

    def length_s(self, number: int) -> float:
        """Return the length of a video."""
        grown = max(self.longest_s - self.seconds, 0.0) * number / max(1, self.count - 1)
        return self.seconds + grown


SETS = {
    "clips": Set(20, 3, 0.25),
    "clips-60": Set(60, 3, 0.25),
    "mixed": Set(9, 5, 0.5, longest_s=60),
    "dense": Set(9, 40, 0.1),
    "usual": Set(9, 40, 0.25),
    "sparse": Set(9, 40, 1.0),
    "weights": Set(9, 30, 0.1, compiled=False),
    "long": Set(12, 120, 0.25),
}
DESIGNS = ("threads", "queues", "workflow")
MORE_DESIGNS = {
    "clips": ["whole", "cold jobs"],
    "clips-60": ["whole"],
    "mixed": ["whole"],
    "usual": ["cold detector"],
    "dense": ["filter apart"],
}


def model_of(asked: Set) -> dict[str, object]:
    """Return the settings of the filter: a real compiled model if there is one, else the demo's weights."""
    real = REAL / "model/yolo11n_int8_openvino_model"
    if asked.compiled and real.exists():
        return {"model": str(real), "classes": ["bottle", "car", "person"], "confidence": 0.35, "imgsz_px": 640}
    weights = str(DEMO / "detector.pt")
    return {"model": weights, "classes": ["car", "person", "dog"], "confidence": 0.4, "imgsz_px": 640}


def make_clips(folder: Path, asked: Set) -> list[Path]:
    """Return clips of real videos if the model fits and they exist, else of the demo's; each of another part."""
    drawn = [DEMO / f"clips/{name}.mp4" for name in ("avenue", "crossing", "night", "park")]
    scenes = (asked.compiled and sorted((REAL / "videos").glob("*.mp4"))) or drawn
    clips = []
    for n in range(asked.count):
        scene = scenes[n % len(scenes)]
        clips.append(folder / f"{n:02d}-{scene.stem}.mp4")
        part = ["-stream_loop", "-1", "-ss", str(n / 2), "-i", str(scene), "-t", str(asked.length_s(n)), "-an"]
        encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p"]
        subprocess.run([ffmpeg_exe(), "-v", "error", *part, *encode, str(clips[-1])], check=True)
    return clips


def run_plain(design: str, asked: Set, urls: dict[str, str], folder: Path) -> Outcome:
    """Run a hand-written design."""
    task = model_of(asked) | {"videos": urls, "interval_s": asked.interval_s, "out": str(folder / "out")}
    (folder / "task.json").write_text(json.dumps(task))
    command = [sys.executable, "-m", f"tests.benchmarks.plain_{design}", str(folder / "task.json")]
    measured = measure(command, folder / "log")
    result = json.loads(measured.text.strip().splitlines()[-1])
    return Outcome(measured, result["frames"], result["filter_s"], names(folder / "out"))


def run_workflow(asked: Set, urls: dict[str, str], folder: Path, design: str) -> Outcome:
    """Run the workflow up to filtered frames, or `whole`; for `filter apart`, measure the filter alone."""
    apart = design == "filter apart"
    config = {
        "cleanup_raw_frames": True,
        "download": {"allow_private_hosts": True},
        "frames": {"interval_s": asked.interval_s, "similar_bits": -1, "min_entropy_bits": 0},
        "filter": model_of(asked),
        "detect": model_of(asked),
        "detector": {"warm": design != "cold detector"},
        "warm_jobs": design != "cold jobs",
    }
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    rows = [f"{video}\t{url}" for video, url in urls.items()]
    (folder / "config/videos.tsv").write_text("\n".join(["video\turl", *rows]) + "\n")
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), "--resources", "gpu=1", "--cores"]
    command += [str(CORES)]
    if apart:
        measure([*command, "--until", "extract_frames", "compile_model"], folder / "log")
    measured = measure([*command, *([] if design == "whole" else ["--until", "filter_frames"])], folder / "log")
    logs = "".join(log.read_text() for log in folder.glob(".snakemake/detector-*.log"))
    frames, seconds = read_requests(logs, apart)
    return Outcome(measured, frames, seconds, names(folder / "results/filtered"))


def read_requests(logs: str, apart: bool) -> tuple[int, float]:
    """Return the number of frames a detector saw and its seconds: those of its requests, or from first to last."""
    found = re.findall(r"^(\S+ \S+) INFO (\d+) images in ([\d.]+) s", logs, re.MULTILINE)
    ends = [datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").timestamp() for at, _, _ in found]
    request_s = [float(seconds) for _, _, seconds in found]
    frames = sum(int(count) for _, count, _ in found)
    return frames, max(ends) - (ends[0] - request_s[0]) if apart and ends else sum(request_s)


def names(folder: Path) -> frozenset[str]:
    """Return the kept frames."""
    return frozenset(str(path.relative_to(folder)) for path in folder.glob("*/*.jpg"))


RAW = """
import sys, time, numpy, openvino
core = openvino.Core()
model = core.read_model(sys.argv[1])
rates, cores = [], int(sys.argv[3])
for way in ({"NUM_STREAMS": cores, "INFERENCE_NUM_THREADS": cores}, {"PERFORMANCE_HINT": "LATENCY"}):
    compiled = core.compile_model(model, "CPU", way | {"INFERENCE_PRECISION_HINT": "f32"})
    queue = openvino.AsyncInferQueue(compiled, compiled.get_property("NUM_STREAMS"))
    picture = numpy.random.default_rng(0).random(list(model.inputs[0].shape), dtype=numpy.float32)
    for count in (20, int(sys.argv[2])):
        began = time.monotonic()
        for _ in range(count):
            queue.start_async(picture)
        queue.wait_all()
    rates.append(count / (time.monotonic() - began))
print(max(rates))
"""


def raw_rate(asked: Set, count: int = 300) -> float | None:
    """Return the frames per second of the engine alone, in its faster mode."""
    if not (asked.compiled and REAL.exists()):
        return None  # the input size of the demo's model varies
    xml = next(Path(str(model_of(asked)["model"])).glob("*.xml"))
    command = [sys.executable, "-c", RAW, str(xml), str(count), str(CORES)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_round(name: str, asked: Set, clips: list[Path], number: int) -> Round:
    """Run all designs once; each round starts with another one."""
    designs = [*DESIGNS, *MORE_DESIGNS.get(name, [])]
    outcomes = {}
    for design in designs[number % len(designs) :] + designs[: number % len(designs)]:
        with FaultServer() as server, tempfile.TemporaryDirectory() as folder:
            urls = {clip.stem: server.add(f"/{clip.name}", clip) for clip in clips}
            if design in ("threads", "queues"):
                outcomes[design] = run_plain(design, asked, urls, Path(folder))
            else:
                outcomes[design] = run_workflow(asked, urls, Path(folder), design)
        seen = outcomes[design]
        cost = f"{seen.measured.wall_s:.1f} s, {seen.measured.cpu_s:.1f} CPU s"
        print(f"{name} {design}: {cost}, {len(seen.kept)} of {seen.frames} frames", flush=True)
    kept = {outcome.kept for outcome in outcomes.values()}
    if len(kept) > 1 or not kept:
        raise SystemExit(f"{name}: not the same frames: { ({d: len(o.kept) for d, o in outcomes.items()}) }")
    return Round(outcomes, raw_rate(asked))


def main() -> None:
    """Print a table per set of videos."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--sets", default=",".join(SETS))
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    rounds = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.sets.split(","):
            clips = make_clips(Path(tempfile.mkdtemp(dir=folder)), SETS[name])
            for number in range(asked.rounds):
                rounds[name].append(run_round(name, SETS[name], clips, number))
            print(COLUMNS + table(name, rounds[name]) + engine(rounds[name]), flush=True)
    if asked.write:
        write({name: (vars(SETS[name]), found) for name, found in rounds.items()}, CORES)


if __name__ == "__main__":
    main()
