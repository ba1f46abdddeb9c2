"""Take frames from one video as JPEGs named by their presentation time, and measure them."""

import json
import logging
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
import imagehash
import numpy as np
from PIL import Image

from scripts._log import log_to
from scripts._media import OPEN_OPTIONS, SEEKABLE, ffmpeg_exe
from scripts._tables import FRAMES, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

METRIC_SIDE_PX = 256  # metrics are taken at one size, so that a threshold means the same on every video
LAST_PTS_S = 999_999.999  # names have nine digits of milliseconds
SLACK_S = 1e-6  # a presentation time that rounding put a hair before a multiple of the interval still counts


def extract_frames(
    video: str,
    folder: Path,
    out: Path,
    *,
    interval_s: float,
    jpeg_qscale: int,
    start_s: float,
    end_s: float | None,
    threads: int,
) -> None:
    """Write JPEGs and frames.parquet for one video; an unusable video gives an empty table."""
    out.mkdir(parents=True, exist_ok=True)
    record = json.loads((folder / "video.json").read_text(encoding="utf-8"))
    if record["status"] == "ok":
        media = record["media"]
        seek = start_s > 0 and media["container"] in SEEKABLE
        command = ffmpeg_command(folder / media["file"], interval_s, start_s, end_s, seek, jpeg_qscale, threads)
        note = run_ffmpeg(command, out)
    else:
        note = f"no media: {record['status']}"
    rows = [measure_frame(video, jpeg) for jpeg in sorted(out.glob("*.jpg"))]
    if not rows and not note:
        note = f"no frame from start_s {start_s:g} on: the video lasts {record['media']['duration_s']} s"
    write_table(out / "frames.parquet", rows, FRAMES, note)
    logging.info("%s: %d frames %s", video, len(rows), note and f"({note})")


def select_expression(interval_s: float, start_s: float, end_s: float | None) -> str:
    """Return ffmpeg's `select` expression for the first frame at or after each multiple of the interval.

    Multiples count from `start_s`; a multiple that no frame follows before the next one is skipped, so frames keep
    their true times in videos of variable frame rate.
    """

    def step(t: str) -> str:
        return f"floor(({t}-{start_s!r})/{interval_s!r}+{SLACK_S!r})"

    last_s = LAST_PTS_S if end_s is None else min(end_s, LAST_PTS_S)
    new_step = f"isnan(prev_selected_t)+gt({step('t')},{step('prev_selected_t')})"
    return f"gte(t,{start_s - SLACK_S!r})*lt(t,{last_s!r})*({new_step})"


def ffmpeg_command(
    media: Path, interval_s: float, start_s: float, end_s: float | None, seek: bool, qscale: int, threads: int
) -> list[str]:
    """Return the command that writes the JPEGs into its working directory.

    Times are a player's: seconds after the start of the file, whatever timestamps it starts with. Pictures are
    turned upright, brought to square pixels and to JPEG's colour matrix.
    """
    limits: dict[str, Any] = {"ss": start_s} if seek else {}
    if end_s is not None:
        limits["t"] = end_s - (start_s if seek else 0) + 1  # stops the decoder; the selection below is exact
    source = ffmpeg.input(f"file:{media.absolute()}", threads=threads, **OPEN_OPTIONS, **limits)
    picture = (
        source.video.filter("select", select_expression(interval_s, start_s, end_s))
        .filter("scale", "max(2,trunc(iw*sar/2)*2)", "ih", flags="bicubic", out_range="full", out_color_matrix="bt601")
        .filter("setsar", 1)
        .filter("format", "yuvj420p")
    )
    jpegs = picture.output(
        "%09d.jpg",
        f="image2",
        frame_pts=1,
        enc_time_base="1:1000",
        fps_mode="passthrough",
        **{"c:v": "mjpeg", "q:v": qscale},
    )
    command: list[str] = jpegs.global_args(
        "-nostdin", "-hide_banner", "-loglevel", "warning", "-copyts", "-start_at_zero"
    ).compile(cmd=ffmpeg_exe())
    return command


def run_ffmpeg(command: list[str], folder: Path) -> str:
    """Run ffmpeg in a folder and log what it says; return a note if it gave up (the frames before are kept)."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    for line in said[-50:]:
        logging.info("ffmpeg: %s", line)
    if not done.returncode:
        return ""
    kept = sum(1 for _ in folder.glob("*.jpg"))
    return f"ffmpeg gave up after {kept} frames: {said[-1] if said else f'exit code {done.returncode}'}"


def measure_frame(video: str, jpeg: Path) -> dict[str, Any]:
    """Measure a written JPEG: its size, sharpness, brightness, entropy and perceptual hash.

    The luma is decoded at reduced scale, which leaves the hash within 2 bits of one of the full picture. Sharpness
    is the variance of the Laplacian at 256 x 256 (Pech-Pacheco et al. 2000), brightness the mean (0 to 255).
    """
    with Image.open(jpeg) as image:
        width, height = image.size
        image.draft("L", (METRIC_SIDE_PX, METRIC_SIDE_PX))
        luma = image.convert("L")
    small = np.asarray(luma.resize((METRIC_SIDE_PX, METRIC_SIDE_PX), Image.Resampling.BOX), np.float32)
    around = small[:-2, 1:-1] + small[2:, 1:-1] + small[1:-1, :-2] + small[1:-1, 2:]
    shares = np.bincount(small.astype(np.uint8).ravel(), minlength=256) / small.size
    present = shares[shares > 0]
    return {
        "video": video,
        "frame": jpeg.name,
        "pts_s": int(jpeg.stem) / 1000,
        "width": width,
        "height": height,
        "sharpness": round(float(np.var(around - 4 * small[1:-1, 1:-1])), 3),
        "brightness": round(float(small.mean()), 3),
        "entropy_bits": round(float(-(present * np.log2(present)).sum()), 4),
        "phash": str(imagehash.phash(luma)),
        "keep": True,
        "reason": "",
    }


if __name__ == "__main__":
    log_to(snakemake.log[0])
    extract_frames(
        video=snakemake.wildcards.video,
        folder=Path(snakemake.input.media),
        out=Path(snakemake.output.frames),
        threads=snakemake.threads,
        **snakemake.params.clip,
        **snakemake.params.frames,
    )
