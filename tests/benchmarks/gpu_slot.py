"""Measure how well filter jobs use a device: videos a second, and the time in which they hold it without inference.

python -m tests.benchmarks.gpu_slot [--videos 60] [--rates 0,500] [--rounds 3] [--other CHECKOUT]

The model is a stub that takes a given time per frame, as a GPU would: 16 frames at a time, no load on the cores. All
else is real. `--other` measures another checkout in turns with this one.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scripts.core.tsv import read_tsv
from scripts.media.probe import ffmpeg_exe
from tests._run import Run, lay_out
from tests.benchmarks._stubs import copy_checkout
from tests.conftest import REPO, pattern

SECONDS, INTERVAL_S = 8.0, 0.25
FRAMES = int(SECONDS / INTERVAL_S)
STUB = """

def predict_batch(predictor, arrays, device, fixed_batch):
    import time
    time.sleep(len(arrays) * {frame_s})
    return arrays


def seen_in(image, result, one, most_per_class):
    return Seen(image, [[10.0, 10.0, 50.0, 50.0]], [0], [0.9])
"""
HELD = re.compile(r"held .* for ([\d.]+) s, after")


@dataclass(frozen=True)
class Use:
    """Videos a second through the filter, and seconds of a video: device held (the median), inference."""

    videos_per_s: float
    held_s: float
    inferred_s: float

    def idle(self) -> float:
        """Return the share of the held time in which nothing is inferred; none if it ends before the inference."""
        return max(0.0, 1 - self.inferred_s / self.held_s) if self.held_s else 0.0

    def busy(self) -> float:
        """Return the share of all time in which the device infers."""
        return self.inferred_s * self.videos_per_s


def set_up(folder: Path, videos: int) -> Run:
    """Lay out a run whose videos are parts of one clip, and extract their frames."""
    clip = folder / "clip.mp4"
    subprocess.run([ffmpeg_exe(), "-v", "error", *pattern(30, "640x360"), str(clip)], check=True)
    run = lay_out(folder / "run")
    ends = [(number / 20, number / 20 + SECONDS) for number in range(videos)]
    run.write_table(*[f"v{n:04d}\t{clip}\t{a:g}\t{b:g}\ttrain\tcity" for n, (a, b) in enumerate(ends)])
    frames = {"interval_s": INTERVAL_S, "similar_bits": -1, "min_entropy_bits": 0}
    run.write_config(
        run.read_config() | {"cleanup_raw_frames": False, "frames": frames, "models": {"format": "native"}}
    )
    return run


def stubbed(source: Path, folder: Path, frame_s: float) -> Path:
    """Copy a checkout and put a model that takes a time per frame in place of the real one."""
    copy_checkout(source, folder)
    with (folder / "scripts/model/engine.py").open("a") as engine:
        engine.write(STUB.format(frame_s=frame_s))
    return folder


def measure(run: Run, videos: int, frame_s: float) -> Use:
    """Filter all videos whose frames are there, and measure from the first job's end to the last one's."""
    for folder in ("filtered", "seen"):
        shutil.rmtree(run.folder / "results" / folder, ignore_errors=True)
    outcome = run.snakemake("--until", "filter_frames", "--nolock", "--resources", "gpu=1")
    if outcome.code or outcome.jobs["filter_frames"] != videos:
        raise SystemExit(outcome.text[-3000:])
    logs = list((run.folder / "logs/filter_frames").glob("*.log"))
    held = [float(seconds) for log in logs for seconds in HELD.findall(log.read_text())]
    if not held:  # a checkout in which a job holds the device from its start to its end
        held = [
            float(row["s"]) for usage in (run.folder / "benchmarks/filter_frames").iterdir() for row in read_tsv(usage)
        ]
    ends = sorted(_end(log) for log in logs)  # the first job also waits for the model
    return Use((videos - 1) / (ends[-1] - ends[0]), statistics.median(held), FRAMES * frame_s)


def _end(log: Path) -> float:
    last = re.findall(r"^(\d+-\d+-\d+ \d+:\d+:\d+,\d+)", log.read_text(), re.MULTILINE)[-1]
    return datetime.strptime(last, "%Y-%m-%d %H:%M:%S,%f").timestamp()


def main() -> None:
    """Print a line per rate and checkout: medians of the rounds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--videos", type=int, default=60)
    options.add_argument("--rates", default="0,500", help="frames a second; 0: a model that takes no time")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--other", type=Path, help="another checkout to measure in turns")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = set_up(folder, asked.videos)
        prepared = run.snakemake("--until", "extract_frames", "compile_model")
        if prepared.code:
            raise SystemExit(prepared.text[-3000:])
        for rate in map(float, asked.rates.split(",")):
            frame_s = 1 / rate if rate else 0.0
            checkouts = {"this": REPO} | ({"other": asked.other} if asked.other else {})
            copies = {of: stubbed(source, folder / f"{of}-{rate:g}", frame_s) for of, source in checkouts.items()}
            rounds = [
                {of: measure(Run(run.folder, copy), asked.videos, frame_s) for of, copy in copies.items()}
                for _ in range(asked.rounds)
            ]
            for of in copies:
                print(f"{rate:g} frames/s, {of} checkout: {describe([found[of] for found in rounds])}", flush=True)


def describe(uses: list[Use]) -> str:
    """Return the medians of some rounds in words."""
    videos_per_s = statistics.median(use.videos_per_s for use in uses)
    held_s = statistics.median(use.held_s for use in uses)
    idle, busy = (statistics.median(of(use) for use in uses) for of in (Use.idle, Use.busy))
    return (
        f"{videos_per_s:.1f} videos/s; the device is held for {held_s * 1000:.0f} ms a video,"
        f" {idle:.0%} of it without inference; it infers in {busy:.0%} of the time"
    )


if __name__ == "__main__":
    main()
