"""Take frames from one video as JPEGs named by their presentation time, and measure them."""

import json
import logging
from bisect import bisect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts._damage import Damage, find_damage
from scripts._ffmpeg import Run, frames_command, pictures, running, verdict
from scripts._log import UserError, log_to
from scripts._quality import fault_of, measure
from scripts._sampling import Clip, FrameSettings, spread
from scripts._tables import FRAMES, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

Row = dict[str, Any]


def extract_frames(record: Row, folder: Path, out: Path, clip: Clip, settings: FrameSettings, threads: int) -> None:
    """Write JPEGs and frames.parquet for one video; an unusable video gives an empty table.

    Frames that are not worth keeping are rows with a reason, without a JPEG.
    """
    out.mkdir(parents=True, exist_ok=True)
    video = record["video"]
    if record["status"] != "ok":
        write_table(out / "frames.parquet", [], FRAMES, f"no media: {record['status']}")
        return
    facts, media = record["media"], folder / record["media"]["file"]
    command = frames_command(media, facts["container"], facts["duration_s"], clip, settings, threads)
    with running(command, settings.deadline_s) as run:
        rows, limit = take_frames(video, run, out, settings)
        if limit:
            run.stop()
        notes = [verdict(run), limit or time_limit(run, rows, settings)]
    log_ffmpeg(run)
    if run.damage_seen:
        damage = find_damage(media, facts["container"])
        notes.append(drop_damaged(rows, damage, facts["duration_s"]))
    elif not any(notes):
        notes.append(missing_end(rows, facts["duration_s"], clip, settings))
    if settings.mode == "budget":
        drop_over_budget(rows, run.cuts_ms, min(settings.budget, settings.max_frames))
    for row in rows:
        if not row["keep"]:
            (out / row["frame"]).unlink(missing_ok=True)
    note = "; ".join(filter(None, notes))
    write_table(out / "frames.parquet", rows, FRAMES, note)
    kept = sum(row["keep"] for row in rows)
    logging.info("%s: %d frames, %d kept %s", video, len(rows), kept, note and f"({note})")


def take_frames(video: str, run: Run, out: Path, settings: FrameSettings) -> tuple[list[Row], str]:
    """Write the frames worth keeping; return a row per frame, and which limit was met, if any."""
    rows: list[Row] = []
    kept_phash, kept, written_mb = None, 0, 0.0
    for picture in pictures(run):
        measured = measure(picture.jpeg)
        fault = fault_of(measured, kept_phash, settings)
        row: Row = {"video": video, "frame": f"{picture.pts_ms:09d}.jpg", "pts_s": picture.pts_ms / 1000}
        row |= (measured or {}) | {"keep": not fault, "reason": ""} | fault
        rows.append(row)
        if fault:
            continue
        write_jpeg(out / row["frame"], picture.jpeg)
        kept_phash, kept, written_mb = row["phash"], kept + 1, written_mb + len(picture.jpeg) / 1e6
        at = f"stopped at {row['pts_s']:g} s:"
        if kept >= settings.max_frames and settings.mode != "budget":
            return rows, f"{at} max_frames = {settings.max_frames}"
        if written_mb >= settings.max_output_mb:
            return rows, f"{at} max_output_mb = {settings.max_output_mb:g}"
    return rows, ""


def write_jpeg(path: Path, jpeg: bytes) -> None:
    """Write a picture; raise UserError if this machine cannot, since no video is to blame."""
    try:
        path.write_bytes(jpeg)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}: free or open the disk and run again") from error


def time_limit(run: Run, rows: list[Row], settings: FrameSettings) -> str:
    """Say so if the time was up before ffmpeg was done."""
    if not run.timed_out:
        return ""
    return f"stopped at {rows[-1]['pts_s'] if rows else 0:g} s: deadline_s = {settings.deadline_s:g}"


def log_ffmpeg(run: Run) -> None:
    """Copy the last lines of ffmpeg into the job's log."""
    for line in run.said:
        logging.info("ffmpeg: %s", line)


def drop_damaged(rows: list[Row], damage: Damage, duration_s: float | None) -> str:
    """Drop the frames that are in doubt and say how many pictures of the file are, and where it ends."""
    for row in rows:
        if row["keep"] and round(row["pts_s"] * 1000) in damage.doubted_ms:
            row |= {"keep": False, "reason": "damaged"}
    lost = f"{len(damage.doubted_ms)} of {damage.pictures} pictures of the file are damaged" * bool(damage.doubted_ms)
    missing_s = (duration_s or 0.0) - damage.last_ms / 1000
    early = f"the last picture is at {damage.last_ms / 1000:g} s of {duration_s:g} s" if missing_s > 1 else ""
    return "; ".join(filter(None, [lost, early]))


def missing_end(rows: list[Row], duration_s: float | None, clip: Clip, settings: FrameSettings) -> str:
    """Say so if there is no frame, or if frames at intervals end well before the wanted part does."""
    if not rows:
        return f"no frame from {clip.start_s:g} s on: the video lasts {duration_s or 'an unknown number of'} s"
    ends_s = [t for t in (duration_s, clip.end_s) if t is not None]
    last_s = rows[-1]["pts_s"]
    if settings.mode != "interval" or not ends_s or min(ends_s) - last_s <= max(2 * settings.interval_s, 1.0):
        return ""
    return f"the last frame is at {last_s:g} s of {min(ends_s):g} s"


def drop_over_budget(rows: list[Row], cuts_ms: list[int], budget: int) -> None:
    """Keep as many of the frames worth keeping as the budget allows, spread over the shots of the video."""
    worth = [row for row in rows if row["keep"]]
    shots = [bisect(cuts_ms, round(row["pts_s"] * 1000)) for row in worth]
    chosen = set(spread([row["pts_s"] for row in worth], shots, budget))
    for i, row in enumerate(worth):
        if i not in chosen:
            row |= {"keep": False, "reason": "over_budget", "threshold": float(budget)}


if __name__ == "__main__":
    log_to(snakemake.log[0])
    extract_frames(
        record=json.loads(Path(snakemake.input.record).read_text(encoding="utf-8")),
        folder=Path(snakemake.input.media),
        out=Path(snakemake.output.frames),
        clip=Clip(**snakemake.params.clip),
        # Its limits of time and space are not parameters: raising them must not extract all videos again.
        settings=FrameSettings(**snakemake.config["frames"]),
        threads=snakemake.threads,
    )
