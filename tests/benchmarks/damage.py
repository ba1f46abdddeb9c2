"""Measure which frames of damaged files are kept: those with visible damage, and the sound ones that are dropped.

python -m tests.benchmarks.damage [--write] [FOLDER]      20 minutes; with --write into docs/media.md

540 files: real videos in 18 codecs and containers, each damaged in 5 ways, 6 times. A frame is visibly damaged if no
picture near it in the undamaged file is like it. Videos in FOLDER, too, are read as they are.
"""

import argparse
import math
import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import imageio_ffmpeg
import numpy as np
from PIL import Image

from scripts.frames import damage
from scripts.frames.command import frames_command
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, jpeg_frames, running
from scripts.media.probe import MediaFacts, NotVideo, probe_media
from tests._clips import DEFAULTS
from tests._page import replace_section
from tests.conftest import H264, REAL, REPO

SEEDS = 6
VISIBLE = 25  # grey levels that a block of 8x8 differs by in the mean, in a picture of 160x96
NEAR = 25  # pictures before and after, so that a picture that is only late is no damage
HEAD = "## Damage"
TEXT = """Written by `python -m tests.benchmarks.damage --write`: real videos in 18 codecs and
containers, each damaged in 5 ways, 6 times. {real}

| what is dropped, up to the next keyframe | visibly damaged frames among the kept | sound frames dropped |
|---|---|---|
"""
SETTINGS = FrameSettings(
    **(DEFAULTS | {"mode": "every_n", "every_n": 1, "max_side_px": 160, "similar_bits": -1, "max_frames": 10**6})
)
CAR = ("-i", str(REAL / "videos/car-detection.mp4"), "-t", "8", "-an")
BOTTLE = ("-i", str(REAL / "videos/bottle-detection.mp4"), "-t", "6", "-an")
BOX = ("-i", str(REAL / "videos/box.mp4"), "-t", "8", "-an", "-c", "copy")
SMALL = ("-vf", "scale=480:-2")
X264 = (*SMALL, *H264, "-threads", "1", "-g", "50")
X265 = (*SMALL, "-c:v", "libx265", "-pix_fmt", "yuv420p", "-g", "50", "-x265-params", "log-level=none")
MPEG2 = (*SMALL, "-c:v", "mpeg2video", "-q:v", "4", "-g", "30", "-bf", "2")
START = ("-movflags", "faststart")
SOURCES = {
    "car_copy.mp4": (*CAR, "-c", "copy", *START),
    "bottle_copy.mkv": (*BOTTLE, "-c", "copy"),
    "box_copy.mp4": (*BOX, *START),
    "box_copy.ts": BOX,
    "h264.ts": (*CAR, *X264),
    "slices.mkv": (*BOTTLE, *X264, "-x264-params", "slices=4:open-gop=1"),
    "refresh.mp4": (*CAR, *X264, "-x264-params", "intra-refresh=1", *START),
    "hevc.mp4": (*CAR, *X265, *START),
    "hevc.ts": (*BOTTLE, *X265),
    "vp8.webm": (*CAR, *SMALL, "-c:v", "libvpx", "-g", "50", "-b:v", "500k"),
    "vp9.webm": (*BOTTLE, *SMALL, "-c:v", "libvpx-vp9", "-g", "60", "-b:v", "400k", "-cpu-used", "5"),
    "av1.mkv": (*BOTTLE, *SMALL, "-c:v", "libsvtav1", "-g", "60", "-preset", "9"),
    "mpeg4.avi": (*CAR, *SMALL, "-c:v", "mpeg4", "-q:v", "4", "-g", "50", "-bf", "2"),
    "mpeg2.mpg": (*BOTTLE, *MPEG2),
    "mpeg2.ts": (*CAR, *MPEG2, "-r", "25"),
    "flash.flv": (*CAR, *SMALL, "-c:v", "flv", "-q:v", "4", "-g", "50"),
    "windows.wmv": (*BOTTLE, *SMALL, "-c:v", "wmv2", "-q:v", "4", "-g", "60"),
    "theora.ogv": (*CAR, *SMALL, "-c:v", "libtheora", "-q:v", "6", "-g", "40"),
}
Find = Callable[[Path, int], frozenset[int]]


def _place(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(len(data) // 10, len(data) * 9 // 10)


def change_bytes(data: bytearray, rng: random.Random) -> None:
    """Change three bytes."""
    for _ in range(3):
        data[_place(data, rng)] = rng.randrange(256)


def overwrite(data: bytearray, rng: random.Random) -> None:
    """Overwrite 2000 bytes with noise."""
    at = _place(data, rng)
    data[at : at + 2000] = rng.randbytes(2000)


def blank(data: bytearray, rng: random.Random) -> None:
    """Set four times 300 bytes to zero."""
    for _ in range(4):
        at = _place(data, rng)
        data[at : at + 300] = bytes(300)


def lose(data: bytearray, rng: random.Random) -> None:
    """Leave out some packets of a transport stream, or as many bytes."""
    at = _place(data, rng) // 188 * 188
    del data[at : at + 188 * rng.randrange(1, 20)]


def cut(data: bytearray, rng: random.Random) -> None:
    """Leave out the end."""
    del data[int(len(data) * rng.uniform(0.4, 0.95)) :]


HARMS = (change_bytes, overwrite, blank, lose, cut)


def ways() -> dict[str, Find]:
    """Return the ways to find damage that are compared."""

    def nothing(media: Path, index: int) -> frozenset[int]:
        return frozenset()

    def ours(media: Path, index: int) -> frozenset[int]:
        return damage.find_damage(media, index, None, math.inf).untrusted_ms

    def every_complaint(media: Path, index: int) -> frozenset[int]:
        with patch.object(damage, "SYNTAX", re.compile("(?!)")), patch.object(damage, "ALONE", frozenset()):
            return ours(media, index)

    def marks(media: Path, index: int) -> frozenset[int]:
        with patch.object(damage, "_report_damage", lambda messages, from_level: False):
            return ours(media, index)

    return {
        "nothing": nothing,
        "from every complaint": every_complaint,
        "from frames and packets that ffmpeg marks as corrupt": marks,
        "from those, and from complaints that are not about syntax (as it is)": ours,
    }


def decoded(media: Path) -> tuple[MediaFacts, dict[int, np.ndarray], bool]:
    """Return the facts about a file, its frames as small grey pictures by time, and whether ffmpeg complains."""
    facts = probe_media(media)
    source = MediaStream(media, facts.stream, facts.container, facts.duration_s, seek=False)
    with running(frames_command(source, Clip(0, None), SETTINGS, 1), 300) as run:
        frames = {frame.pts_ms: _small(frame.jpeg) for frame in jpeg_frames(run)}
        run.process.wait()
        if run.log_reader:
            run.log_reader.join()
    return facts, frames, run.damage_seen


def _small(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(jpeg)).convert("L").resize((160, 96)), np.int16)


def is_broken(frame: np.ndarray, at_ms: int, true: dict[int, np.ndarray]) -> bool:
    """Return whether a frame is unlike every true one near it."""
    times = sorted(true, key=lambda pts_ms: abs(pts_ms - at_ms))[: 2 * NEAR]
    return all(np.abs(frame - true[pts_ms]).reshape(12, 8, 20, 8).mean((1, 3)).max() > VISIBLE for pts_ms in times)


def damaged_files(folder: Path) -> Iterator[tuple[Path, dict[int, np.ndarray]]]:
    """Yield each damaged file with the frames of the undamaged one."""
    for name, arguments in SOURCES.items():
        whole = folder / name
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "fatal", *arguments, str(whole)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        _, true, _ = decoded(whole)
        for harm in HARMS:
            for seed in range(SEEDS):
                data = bytearray(whole.read_bytes())
                harm(data, random.Random(f"{name} {harm.__name__} {seed}"))
                path = folder / f"hurt{whole.suffix}"
                path.write_bytes(data)
                yield path, true


def measure(folder: Path, finders: dict[str, Find]) -> tuple[dict[str, Counter[str]], int]:
    """Return for each way the frames kept, broken ones among them, sound ones and those dropped; and the files."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in finders}
    files = 0
    for path, true in damaged_files(folder):
        try:
            facts, frames, complains = decoded(path)
        except NotVideo:
            continue
        files += 1
        broken = {pts_ms: is_broken(frame, pts_ms, true) for pts_ms, frame in frames.items()}
        for name, find in finders.items():
            dropped = find(path, facts.stream) if complains else frozenset()
            for pts_ms, is_bad in broken.items():
                keep = pts_ms not in dropped
                counts[name].update(kept=keep, wrong=keep and is_bad, sound=not is_bad, lost=not (keep or is_bad))
        print(files, path.name, flush=True)
    return counts, files


def false_alarms(folders: list[Path], find: Find) -> tuple[int, int, int]:
    """Return the number of real videos, of their frames, and of the frames dropped."""
    files = frames = dropped = 0
    for path in sorted(file for folder in folders for file in folder.rglob("*") if file.is_file()):
        try:
            facts, found, complains = decoded(path)
        except NotVideo:
            continue
        lost = len(set(found) & find(path, facts.stream)) if complains else 0
        files, frames, dropped = files + 1, frames + len(found), dropped + lost
        if lost:
            print(f"{path.name}: {lost} of {len(found)} dropped")
    return files, frames, dropped


def section(counts: dict[str, Counter[str]], files: int, alarms: list[tuple[int, int, int]]) -> str:
    """Return the table; `alarms` are of every complaint and of the way as it is."""
    real = f"A decoder shows frames of {files} of them. In {alarms[0][0]} undamaged real videos with {alarms[0][1]:,} "
    real += f"frames, {alarms[1][2]} are dropped as damaged; from every complaint, {alarms[0][2]}."
    rows = (f"| {way} | {n['wrong'] / n['kept']:.1%} | {n['lost'] / n['sound']:.1%} |\n" for way, n in counts.items())
    return TEXT.format(real=real) + "".join(rows)


def main() -> None:
    """Print the table, or write it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="into docs/")
    options.add_argument("folder", nargs="*", type=Path, help="more real videos")
    asked = options.parse_args()
    finders = ways()
    with tempfile.TemporaryDirectory() as name:
        counts, files = measure(Path(name), finders)
    alarms = [false_alarms([REAL / "videos", *asked.folder], find) for find in list(finders.values())[1::2]]
    text = section(counts, files, alarms)
    print(text)
    if asked.write:
        replace_section(REPO / "docs/media.md", HEAD, text)


if __name__ == "__main__":
    main()
