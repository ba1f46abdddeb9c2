"""Decode a video once and write its frames as JPEGs, within the limits of time, space and number."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from scripts.core.errors import UserError
from scripts.core.row_types import Fate, FrameRow
from scripts.frames.command import frames_command
from scripts.frames.extraction import Extraction
from scripts.frames.quality import Measures, fate_of, measure
from scripts.media.ffmpeg import FfmpegRun, failure_of, jpeg_frames, running

ROWS_PER_FRAME = 10  # at most this many rows per frame of max_frames: the rows of dropped frames take memory too
DAMAGED: Fate = {"reason": "damaged", "value": None, "threshold": None}


@dataclass(frozen=True)
class PassResult:
    """What one pass gave: rows, where shots begin, the limit that stopped it, why ffmpeg failed, its first error."""

    rows: list[FrameRow]
    cuts_ms: list[int]
    limit: str
    failure: str
    complaint: str


def decode_once(extraction: Extraction, threads: int, damaged_ms: frozenset[int]) -> PassResult:
    """Decode the video once and write the frames worth keeping; frames at `damaged_ms` are dropped."""
    for old in extraction.out.glob("*.jpg"):
        old.unlink()
    settings = extraction.settings
    command = frames_command(extraction.source, extraction.clip, settings, threads)
    with running(command, settings.deadline_s) as run:
        rows, limit = write_frames(run, extraction, damaged_ms)
        if limit:
            run.stop()
        failure = failure_of(run)
    if run.timed_out:
        limit = limit_message("deadline_s", settings.deadline_s, rows, extraction.video)
    for line in run.log_lines:
        logging.info("ffmpeg: %s", line)
    return PassResult(rows, run.cuts_ms, limit, failure, run.error or "corrupt data" if run.damage_seen else "")


def write_frames(run: FfmpegRun, extraction: Extraction, damaged_ms: frozenset[int]) -> tuple[list[FrameRow], str]:
    """Write the frames worth keeping; return a row per frame, and a message if a limit stopped it."""
    settings = extraction.settings
    rows: list[FrameRow] = []
    kept_phash, kept, written_mb = None, 0, 0.0
    for frame in jpeg_frames(run):
        measures = measure(frame.jpeg)
        fate = DAMAGED if frame.pts_ms in damaged_ms else fate_of(measures, kept_phash, settings)
        row = frame_row(extraction.video, frame.pts_ms, measures, fate)
        written_mb += len(frame.jpeg) / 1e6 if row["keep"] else 0
        if written_mb > settings.max_output_mb:
            return rows, limit_message("max_output_mb", settings.max_output_mb, rows, extraction.video)
        rows.append(row)
        if row["keep"]:
            with run.paused_clock():
                extraction.wait_for_disk(written_mb * 1e6)
            write_jpeg(extraction.out / row["frame"], frame.jpeg)
            kept_phash, kept = row["phash"], kept + 1
        full = kept >= settings.max_frames and settings.mode != "budget"
        if full or len(rows) >= ROWS_PER_FRAME * settings.max_frames:
            return rows, f"stopped at {row['pts_s']:g} s: max_frames = {settings.max_frames}"
    return rows, ""


def frame_row(video: str, pts_ms: int, measures: Measures | None, fate: Fate) -> FrameRow:
    """Return the row of a frame in frames.parquet."""
    row = {"video": video, "frame": f"{pts_ms:09d}.jpg", "pts_s": pts_ms / 1000, "keep": not fate["reason"]}
    return cast(FrameRow, {**row, **fate, **(measures or {})})


def write_jpeg(path: Path, jpeg: bytes) -> None:
    """Write a JPEG; raise UserError if this machine cannot, because that is no fault of the video."""
    try:
        path.write_bytes(jpeg)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}: free disk space or make the folder writable, then run again"
        ) from error


def limit_message(key: str, value: float, rows: list[FrameRow], video: str) -> str:
    """Return the note on a limit that stopped the video, and how to get more: raising it alone reruns nothing."""
    at_s = rows[-1]["pts_s"] if rows else 0
    return f"stopped at {at_s:g} s: {key} = {value:g} (for more, raise it and delete results/frames/{video})"
