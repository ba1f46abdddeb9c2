"""Compare extract_frames, hash and metrics and all, with the bare ffmpeg command that writes the same JPEGs.

python -m tests.benchmarks.extract_frames [--rounds 3] [--seconds 300]

Both run as processes of their own, in turns, so that a busy machine slows both; ratios are medians over the rounds.
"""

import argparse
import filecmp
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.media.probe import ffmpeg_exe, probe_media
from tests._clips import DEFAULTS
from tests.benchmarks._plain import JPEGS, SCALE, SELECT
from tests.conftest import REAL, REPO

JOB = """
import json, pathlib, sys
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.frames.extract_frames import extract_frames
record, settings, out = json.loads(sys.argv[1]), json.loads(sys.argv[2]), pathlib.Path(sys.argv[3])
extract_frames(record, pathlib.Path("/"), out, Clip(0, None), FrameSettings(**settings), 2)
"""


def make_clip(folder: Path, height_px: int, seconds: float) -> Path:
    """Return an H.264 clip of a real scene if there is one, else of a drawn one, in 16:9 at 30 fps."""
    media, real = folder / f"{height_px}p.mp4", REAL / "videos/bottle-detection.mp4"
    scene = ["-stream_loop", "-1", "-i", str(real)] if real.exists() else ["-f", "lavfi", "-i", "mandelbrot=rate=30"]
    size = f"scale={height_px * 16 // 9}:{height_px},setsar=1,fps=30"
    rate = f"{height_px * 4 - 380}k"  # 2.5 Mbit/s for 720p, 3.9 for 1080p: what video sites send
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", rate, "-pix_fmt", "yuv420p", "-an"]
    run([ffmpeg_exe(), "-v", "error", *scene, "-vf", size, "-t", f"{seconds}", *encode, "-y", str(media)], folder)
    return media


def loop(media: Path, times: int) -> Path:
    """Return the clip so many times over."""
    looped = media.with_stem(f"{media.stem}_looped")
    again = ["-stream_loop", f"{times - 1}", "-i", str(media), "-c", "copy", "-y", str(looped)]
    run([ffmpeg_exe(), "-v", "error", *again], media.parent)
    return looped


def run(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a command in a folder; return its wall and CPU seconds, those of its children included."""
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def bare(media: Path, out: Path, interval_s: float) -> tuple[float, float]:
    """Run ffmpeg alone, as somebody would who wants these frames and nothing else."""
    filters = f"{SELECT.format(s=interval_s)},{SCALE}"
    quiet = [ffmpeg_exe(), "-v", "error", "-threads", "2", "-i", str(media), "-vf", filters]
    return run([*quiet, *JPEGS.split()], out)


def ours(media: Path, out: Path, **settings: object) -> tuple[float, float]:
    """Run extract_frames as a job does, start of Python included."""
    every = DEFAULTS | {"similar_bits": -1, "min_entropy_bits": 0} | settings
    record = {"video": "v", "status": "ok", "media": probe_media(media).as_dict() | {"file": str(media)}}
    return run([sys.executable, "-c", JOB, json.dumps(record), json.dumps(every), str(out)], out)


def compare(media: Path, interval_s: float, rounds: int, folder: Path) -> str:
    """Return a line of medians for one clip; stop if the two do not write the same bytes."""
    walls, cpus = [], []
    for _ in range(rounds):
        outs = [folder / "bare", folder / "ours"]
        for out in outs:
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
        wall, cpu = bare(media, outs[0], interval_s)
        our_wall, our_cpu = ours(media, outs[1], interval_s=interval_s)
        walls.append(our_wall / wall)
        cpus.append(our_cpu / cpu)
    names = sorted(p.name for p in outs[0].glob("*.jpg"))
    same, differ, missing = filecmp.cmpfiles(outs[0], outs[1], names, shallow=False)
    if differ or missing or len(same) != len(list(outs[1].glob("*.jpg"))):
        raise SystemExit(f"not the same JPEGs: {len(differ)} differ, {len(missing)} missing")
    return (
        f"{media.name} at {interval_s:g} s: {len(same)} equal JPEGs; bare {wall:.1f} s;"
        f" ours/bare wall {statistics.median(walls):.2f}, CPU {statistics.median(cpus):.2f}"
    )


def main() -> None:
    """Print a line per comparison."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=300)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for height_px in (720, 1080):
            media = make_clip(folder, height_px, asked.seconds)
            for interval_s in (1.0, 0.2):
                print(compare(media, interval_s, asked.rounds, folder), flush=True)
        media = loop(make_clip(folder, 720, 60), 10)
        ratios = []
        for _ in range(min(asked.rounds, 3)):
            shutil.rmtree(folder / "ours")
            (folder / "ours").mkdir()
            slow, _cpu = ours(media, folder / "ours")
            fast, _cpu = ours(media, folder / "ours", mode="keyframes")
            ratios.append(slow / fast)
        ratio = statistics.median(ratios)
        print(f"10 minutes of 720p: interval/keyframes wall {ratio:.1f} (the last time {slow:.1f} s, {fast:.1f} s)")


if __name__ == "__main__":
    main()
