"""Take frames from one video as JPEGs named by their presentation time, and measure them."""

import logging
import time
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import FRAMES_TABLE, RESULTS
from scripts.core.schemas import FRAMES
from scripts.core.tables import write_table
from scripts.frames.command import frames_command
from scripts.frames.damage import Damage, find_damage
from scripts.frames.quality import fault_of, measure
from scripts.frames.sampling import FrameSettings, spread
from scripts.job.budget import MARKS, Budget, at_work
from scripts.job.environment import is_submission
from scripts.job.start import start_job
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, Run, pictures, running, verdict
from scripts.media.probe import SEEKABLE

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Row = dict[str, Any]
Wait = Callable[[float], None]  # returns when the bytes that a video has, with its next frame, may lie on the disk
ROWS_PER_FRAME = 10  # so many frames may be dropped for each of max_frames, since their rows take memory too


@dataclass(frozen=True)
class Job:
    """What is to be taken from a video."""

    video: str
    source: MediaStream
    fps: float | None
    clip: Clip
    settings: FrameSettings
    out: Path
    wait_for_room: Wait


@dataclass(frozen=True)
class Taken:
    """What one pass over a video gave: rows, where shots begin, the limit that stopped it, and what ffmpeg said."""

    rows: list[Row]
    cuts_ms: list[int]
    limit: str
    fault: str
    complaint: str


def no_limit(own_bytes: float) -> None:
    """Let a video write as much as it wants."""


def extract_frames(
    record: Row,
    folder: Path,
    out: Path,
    clip: Clip,
    settings: FrameSettings,
    threads: int,
    wait_for_room: Wait = no_limit,
) -> None:
    """Write JPEGs and frames.parquet for one video; an unusable video gives an empty table.

    Frames that are not worth keeping are rows with a reason, without a JPEG.
    """
    out.mkdir(parents=True, exist_ok=True)
    if record["status"] != "ok":
        write_table(out / FRAMES_TABLE, [], FRAMES, f"no media: {record['status']}")
        return
    facts, media = record["media"], folder / record["media"]["file"]
    if not media.exists():
        raise UserError(f"{media} is gone: delete {folder.parent} and run again, which brings it back")
    seek = clip.start_s > 0 and facts["container"] in SEEKABLE
    source = MediaStream(media, facts["stream"], facts["container"], facts["duration_s"], seek)
    job = Job(record["video"], source, facts["fps"], clip, settings, out, wait_for_room)
    taken, note = take_good_frames(job, threads)
    rows = taken.rows
    if settings.mode == "budget":
        drop_over_budget(out, rows, taken.cuts_ms, min(settings.budget, settings.max_frames))
    write_table(out / FRAMES_TABLE, rows, FRAMES, note)
    logging.info("%s: %d of %d frames kept %s", record["video"], sum(row["keep"] for row in rows), len(rows), note)


def take_good_frames(job: Job, threads: int) -> tuple[Taken, str]:
    """Take the frames, once more where seeking lost some or parts are damaged; return them and what is missing."""
    taken = take_frames(job, threads, frozenset())
    if job.source.seek and begins_late(taken.rows, job):  # as with pictures that are refreshed bit by bit
        job = replace(job, source=replace(job.source, seek=False))
        taken = take_frames(job, threads, frozenset())
    lost = ""
    if taken.complaint:
        until_s = taken.rows[-1]["pts_s"] if taken.limit and taken.rows else job.clip.end_s
        deadline = time.monotonic() + job.settings.deadline_s
        damage = find_damage(job.source.media, job.source.stream, until_s, deadline)
        if damage.doubted_ms:
            taken = take_frames(job, threads, damage.doubted_ms)
        lost = describe_damage(damage, job, taken)
    end = "" if taken.limit or "the last picture is at" in lost else missing_end(taken.rows, job)
    return taken, "; ".join(filter(None, [taken.fault, taken.limit, lost, end]))


def take_frames(job: Job, threads: int, doubted_ms: frozenset[int]) -> Taken:
    """Decode the video once and write the frames worth keeping."""
    for old in job.out.glob("*.jpg"):
        old.unlink()
    command = frames_command(job.source, job.clip, job.settings, threads)
    with running(command, job.settings.deadline_s) as run:
        rows, limit = write_frames(run, job, doubted_ms)
        if limit:
            run.stop()
        fault = verdict(run)
    if run.timed_out:
        limit = limit_message("deadline_s", job.settings.deadline_s, rows, job.video)
    for line in run.said:
        logging.info("ffmpeg: %s", line)
    return Taken(rows, run.cuts_ms, limit, fault, run.error or "corrupt data" if run.damage_seen else "")


def write_frames(run: Run, job: Job, doubted_ms: frozenset[int]) -> tuple[list[Row], str]:
    """Write the frames worth keeping; return a row per frame, and which limit was met, if any."""
    settings = job.settings
    rows: list[Row] = []
    kept_phash, kept, written_mb = None, 0, 0.0
    for picture in pictures(run):
        measured = measure(picture.jpeg)
        damaged = {"reason": "damaged"} if picture.pts_ms in doubted_ms else {}
        fault = damaged or fault_of(measured, kept_phash, settings)
        row: Row = {"video": job.video, "frame": f"{picture.pts_ms:09d}.jpg", "pts_s": picture.pts_ms / 1000}
        row |= (measured or {}) | {"keep": not fault, "reason": ""} | fault
        written_mb += 0 if fault else len(picture.jpeg) / 1e6
        if written_mb > settings.max_output_mb:
            return rows, limit_message("max_output_mb", settings.max_output_mb, rows, job.video)
        rows.append(row)
        if not fault:
            with run.held():
                job.wait_for_room(written_mb * 1e6)
            write_jpeg(job.out / row["frame"], picture.jpeg)
            kept_phash, kept = row["phash"], kept + 1
        full = kept >= settings.max_frames and settings.mode != "budget"
        if full or len(rows) >= ROWS_PER_FRAME * settings.max_frames:
            return rows, f"stopped at {row['pts_s']:g} s: max_frames = {settings.max_frames}"
    return rows, ""


def write_jpeg(path: Path, jpeg: bytes) -> None:
    """Write a picture; raise UserError if this machine cannot, since no video is to blame."""
    try:
        path.write_bytes(jpeg)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}: free or open the disk and run again") from error


def limit_message(key: str, value: float, rows: list[Row], video: str) -> str:
    """Say where a limit cut the video short, and how to go on; the limit is no parameter, so a rerun does not."""
    at_s = rows[-1]["pts_s"] if rows else 0
    return f"stopped at {at_s:g} s: {key} = {value:g} (for more, raise it and delete results/frames/{video})"


def begins_late(rows: list[Row], job: Job) -> bool:
    """Tell whether frames are missing at the start of the clip."""
    if job.settings.mode == "keyframes":
        return False
    return not rows or rows[0]["pts_s"] > job.clip.start_s + (2 / job.fps if job.fps else 0.1)


def describe_damage(damage: Damage, job: Job, taken: Taken) -> str:
    """Say how many pictures of the file are damaged, and where it ends if that is early."""
    lost = f"{len(damage.doubted_ms)} of {damage.pictures} pictures of the file are damaged"
    parts = [lost if damage.doubted_ms else f"ffmpeg complains: {taken.complaint}"]
    ends_s = [t for t in (job.source.duration_s, job.clip.end_s) if t is not None]
    if ends_s and not taken.limit and min(ends_s) - damage.last_ms / 1000 > 1:
        parts.append(f"the last picture is at {damage.last_ms / 1000:g} s of {min(ends_s):g} s")
    return "; ".join(parts)


def missing_end(rows: list[Row], job: Job) -> str:
    """Say so if there is no frame, or if frames at intervals end before the wanted part does, or after the video."""
    duration_s, last_s = job.source.duration_s, rows[-1]["pts_s"] if rows else 0.0
    if not rows:
        return f"no frame from {job.clip.start_s:g} s on: the video lasts {duration_s or 'an unknown number of'} s"
    if duration_s is not None and last_s > duration_s + 1:
        return f"frames go on to {last_s:g} s, though the file says that it lasts {duration_s:g} s"
    ends_s = [t for t in (duration_s, job.clip.end_s) if t is not None]
    spacing_s = max(2 * job.settings.interval_s, 1.0, 2 / job.fps if job.fps else 0.0)
    if job.settings.mode != "interval" or not ends_s or min(ends_s) - last_s <= spacing_s:
        return ""
    return f"the last frame is at {last_s:g} s of {min(ends_s):g} s"


def drop_over_budget(out: Path, rows: list[Row], cuts_ms: list[int], budget: int) -> None:
    """Keep as many of the frames worth keeping as the budget allows, spread over the shots of the video."""
    worth = [row for row in rows if row["keep"]]
    shots = [bisect(cuts_ms, round(row["pts_s"] * 1000)) for row in worth]
    chosen = set(spread([row["pts_s"] for row in worth], shots, budget))
    for i, row in enumerate(worth):
        if i not in chosen:
            row |= {"keep": False, "reason": "over_budget", "value": float(len(worth)), "threshold": float(budget)}
            (out / row["frame"]).unlink()


if __name__ == "__main__":
    start_job(snakemake.log[0])
    frames = Path(snakemake.output.frames)
    with at_work(MARKS, "extract", frames.name) as mark:
        budget = Budget(
            snakemake.config["frames_budget_gb"] * 1e9, frames.parent, RESULTS / "filtered", frames, MARKS, mark
        )
        extract_frames(
            record=read_json(Path(snakemake.input.record)),
            folder=Path(snakemake.input.media),
            out=frames,
            clip=Clip(**snakemake.params.clip),
            # Its limits of time and space are not parameters: raising them must not extract all videos again.
            settings=FrameSettings(**snakemake.config["frames"]),
            threads=snakemake.threads,
            wait_for_room=no_limit if is_submission() else budget.wait,
        )
