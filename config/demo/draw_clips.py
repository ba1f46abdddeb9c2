"""Draw the demo's clips and their ground truth.

    python config/demo/draw_clips.py        a minute

Writes clips/*.mp4 and truth.json beside this file. Clips are made of shots; every shot is a place of its own, so a
frame of one shot is no copy of a frame of another.
"""

import json
import subprocess
import sys
from pathlib import Path

from _scenes import draw_scene, make_scene

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from scripts.media.probe import ffmpeg_exe  # noqa: E402 - found only now

SIZE_PX, FPS, SHOT_S = (640, 360), 12, 2
C, P, D = "car", "person", "dog"
SHOTS: dict[str, tuple[list[list[str]], bool]] = {  # clip: the kinds of objects in each shot, and whether it is night
    "avenue": ([[C, C, P], [C, P, P], [C, C, D], [P, C], [C, C, C, P], [P, P, C]], False),
    "park": ([[D, P], [D, D, P], [P, P], [D], [P, D, D, P], [D, P, P]], False),
    "crossing": ([[C, P, D], [], [C, C, C], [P, D, C], [D, C], [P, P, P, D]], False),
    "night": ([[C, P], [D, C], [P, P, C], [C, C], [P, D]], True),
    "empty": ([[], [], [], []], False),
}
COPY_OF, COPY = "avenue", "avenue_copy"


def main() -> None:
    """Draw every clip, the copy of one, and the broken file; write the truth."""
    clips = HERE / "clips"
    clips.mkdir(exist_ok=True)
    truth = {
        name: draw_clip(clips / f"{name}.mp4", name, *spec, first_seed=100 * i)
        for i, (name, spec) in enumerate(SHOTS.items(), 7)
    }
    small = ["-vf", "scale=320:-2", "-c:v", "libx264", "-crf", "33", "-preset", "slow", "-an"]
    run_ffmpeg(["-i", str(clips / f"{COPY_OF}.mp4"), *small, str(clips / f"{COPY}.mp4")], b"")
    truth[COPY] = truth[COPY_OF]
    whole = (clips / "park.mp4").read_bytes()
    (clips / "broken.mp4").write_bytes(whole[:32] + bytes(reversed(whole[:20_000])))
    (HERE / "truth.json").write_text(json.dumps({"shots": truth, "copies": {COPY: COPY_OF}}, indent=1) + "\n")


def draw_clip(path: Path, name: str, shots: list[list[str]], night: bool, first_seed: int) -> list[dict[str, object]]:
    """Draw one clip; return each shot's times and what is in it."""
    frames, truth = [], []
    for i, kinds in enumerate(shots):
        scene = make_scene(first_seed + i, kinds, night)
        counts: dict[str, int] = {}
        for k in range(SHOT_S * FPS):
            image, boxes = draw_scene(scene, k / FPS, *SIZE_PX)
            frames.append(image.tobytes())
            counts = {kind: sum(box[0] == kind for box in boxes) for kind in kinds}
        truth.append({"scene": f"{name}/{i}", "start_s": i * SHOT_S, "end_s": (i + 1) * SHOT_S, "objects": counts})
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*SIZE_PX), "-r", str(FPS), "-i", "pipe:0"]
    x264 = [
        "-c:v",
        "libx264",
        "-crf",
        "22",
        "-preset",
        "slow",
        "-g",
        "36",
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
    ]
    run_ffmpeg([*raw, *x264, str(path)], b"".join(frames))
    return truth


def run_ffmpeg(arguments: list[str], stdin: bytes) -> None:
    """Run ffmpeg; stop on any error."""
    bitexact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"]
    command = [ffmpeg_exe(), "-v", "error", "-y", *arguments[:-1], *bitexact, arguments[-1]]
    subprocess.run(command, input=stdin, check=True)


if __name__ == "__main__":
    main()
