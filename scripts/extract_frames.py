"""Take frames from one video as JPEGs named by their presentation time, and measure them."""

import json
import logging
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
import imagehash
import numpy as np
from PIL import Image

from scripts._log import UserError, log_to
from scripts._media import MAX_SIDE_PX, OPEN_OPTIONS, SEEKABLE, ffmpeg_exe
from scripts._tables import FRAMES, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

METRIC_SIDE_PX = 256  # metrics are taken at one size, so that a threshold means the same on every video
LAST_PTS_S = 999_999.999  # names have nine digits of milliseconds
NOISE = "deprecated pixel format used"  # said of every JPEG; the range is set
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
    if record["status"] != "ok":
        write_table(out / "frames.parquet", [], FRAMES, f"no media: {record['status']}")
        return
    media = record["media"]
    seek = start_s > 0 and media["container"] in SEEKABLE
    command = ffmpeg_command(folder / media["file"], interval_s, start_s, end_s, seek, jpeg_qscale, threads)
    fault = run_ffmpeg(command, out)
    rows = [measure_frame(video, jpeg) for jpeg in sorted(out.glob("*.jpg"))]
    note = "; ".join(filter(None, [fault, missing_end(rows, media["duration_s"], interval_s, start_s, end_s)]))
    write_table(out / "frames.parquet", rows, FRAMES, note)
    logging.info("%s: %d frames %s", video, len(rows), note and f"({note})")


def missing_end(
    rows: list[dict[str, Any]], duration_s: float | None, interval_s: float, start_s: float, end_s: float | None
) -> str:
    """Say so if frames end well before the part that was wanted does, as in a file that was cut off."""
    if not rows:
        return f"no frame from {start_s:g} s on: the video lasts {duration_s or 'an unknown number of'} s"
    ends_s = [t for t in (duration_s, end_s) if t is not None]
    last_s = rows[-1]["pts_s"]
    if not ends_s or min(ends_s) - last_s <= max(2 * interval_s, 1.0):
        return ""
    return f"the last frame is at {last_s:g} s of {min(ends_s):g} s"


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
    turned upright, brought to square pixels and to JPEG's colour matrix. Filters are not built anew when the size of
    the picture changes (`reinit_filter`), since `select` would forget its last step; all pictures get the first size.
    """
    limits: dict[str, Any] = {"ss": start_s} if seek else {}
    if end_s is not None:
        limits["t"] = end_s - (start_s if seek else 0) + 1  # stops the decoder; the selection below is exact
    source = ffmpeg.input(f"file:{media.absolute()}", threads=threads, reinit_filter=0, **OPEN_OPTIONS, **limits)
    picture = (
        source.video.filter("select", select_expression(interval_s, start_s, end_s))
        .filter(
            "scale",
            f"min({MAX_SIDE_PX},max(2,trunc(iw*sar/2)*2))",
            "ih",
            flags="bicubic",
            out_range="full",
            out_color_matrix="bt601",
        )
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
        "-nostdin", "-hide_banner", "-loglevel", "level+warning", "-copyts", "-start_at_zero"
    ).compile(cmd=ffmpeg_exe())
    return command


def run_ffmpeg(command: list[str], folder: Path) -> str:
    """Run ffmpeg in a folder and log what it says; return its reason if it gave up on the file.

    Raise UserError if it was killed or the disk is full: the frames so far are then no result.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    said = [
        re.sub(r" @ 0x[0-9a-f]+", "", line) for line in done.stderr.splitlines() if line.strip() and NOISE not in line
    ]
    for line in said[-50:]:
        logging.info("ffmpeg: %s", line)
    if done.returncode < 0 or "No space left on device" in done.stderr:
        why = f"killed by signal {-done.returncode}" if done.returncode < 0 else "no space left on device"
        raise UserError(f"ffmpeg: {why} while writing to {folder}: free disk or memory and run again")
    errors = [
        line.replace("[error] ", "").replace("[fatal] ", "") for line in said if "[error]" in line or "[fatal]" in line
    ]
    reason = errors[-1] if errors else f"exit code {done.returncode}"
    return f"ffmpeg gave up: {reason}" if done.returncode else ""


def measure_frame(video: str, jpeg: Path) -> dict[str, Any]:
    """Measure a written JPEG: its size, sharpness, brightness, entropy and perceptual hash.

    The luma is decoded at reduced scale, which leaves the hash within 2 bits of one of the full picture. Sharpness
    is the variance of the Laplacian at 256 x 256 (Pech-Pacheco et al. 2000), brightness the mean (0 to 255).
    """
    try:
        with Image.open(jpeg) as image:
            width, height = image.size
            image.draft("L", (METRIC_SIDE_PX, METRIC_SIDE_PX))
            luma = image.convert("L")
    except (OSError, Image.DecompressionBombError) as error:
        logging.warning("%s cannot be read: %s", jpeg, error)
        return {
            "video": video,
            "frame": jpeg.name,
            "pts_s": int(jpeg.stem) / 1000,
            "keep": False,
            "reason": "unreadable",
        }
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
