"""Extract frames of one video as JPEGs named by their presentation time, and measure them."""

import logging
import time
from bisect import bisect
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.files import read_json
from scripts.core.layout import FRAMES_TABLE, RESULTS
from scripts.core.row_types import FrameRow, VideoRecord
from scripts.core.schemas import FRAMES
from scripts.core.tables import write_table
from scripts.frames.damage import find_damage
from scripts.frames.extraction import Extraction, WaitForDisk, media_source, no_limit, stream_note
from scripts.frames.missing import damage_note, end_note, starts_late, undecoded_note
from scripts.frames.sampling import FrameSettings, spread
from scripts.frames.single_pass import PassResult, decode_once
from scripts.job.budget import MARKS, Budget, at_work
from scripts.job.environment import is_submission
from scripts.job.start import start_job
from scripts.media.clip import Clip
from scripts.media.ending import is_whole

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def extract_within_budget(
    record: VideoRecord, folder: Path, out: Path, clip: Clip, settings: FrameSettings, threads: int, budget_gb: float
) -> None:
    """Extract frames, and wait whenever the run's unfiltered frames exceed `budget_gb`.

    Submissions to a cluster do not wait, because they would hold their nodes idle. `out` is results/frames/VIDEO,
    relative to the run folder.
    """
    with at_work(MARKS, "extract", out.name) as mark:
        budget = Budget(budget_gb * 1e9, out.parent, RESULTS / "filtered", out, MARKS, mark)
        wait_for_disk = no_limit if is_submission() else budget.wait
        extract_frames(record, folder, out, clip, settings, threads, wait_for_disk)


def extract_frames(
    record: VideoRecord,
    folder: Path,
    out: Path,
    clip: Clip,
    settings: FrameSettings,
    threads: int,
    wait_for_disk: WaitForDisk = no_limit,
) -> None:
    """Write JPEGs and frames.parquet for one video; a video without media gives an empty table.

    Frames that are not worth keeping are rows with a reason, without a JPEG.
    """
    out.mkdir(parents=True, exist_ok=True)
    media = record["media"]
    if record["status"] != "ok" or media is None:
        write_table(out / FRAMES_TABLE, [], FRAMES, f"no media: {record['status']}")
        return
    source = media_source(media, folder, clip, settings.hdr)
    if source.colour.fault:
        write_table(out / FRAMES_TABLE, [], FRAMES, source.colour.fault)
        logging.warning("%s: no frames: %s", record["video"], source.colour.fault)
        return
    extraction = Extraction(record["video"], source, media["fps"], clip, settings, out, wait_for_disk)
    result, note = decode_until_complete(extraction, threads)
    note = "; ".join(filter(None, [stream_note(media, source.colour), note]))
    rows = result.rows
    if settings.mode == "budget":
        drop_over_budget(out, rows, result.cuts_ms, min(settings.budget, settings.max_frames))
    write_table(out / FRAMES_TABLE, rows, FRAMES, note)
    logging.info("%s: %d of %d frames kept %s", record["video"], sum(row["keep"] for row in rows), len(rows), note)


def decode_until_complete(extraction: Extraction, threads: int) -> tuple[PassResult, str]:
    """Decode the video, again if seeking lost frames or parts are damaged; return the last pass and what is missing."""
    result = decode_once(extraction, threads, frozenset())
    # Seeking loses frames where pictures are refreshed part by part instead of by keyframes.
    if extraction.source.seek and starts_late(result.rows, extraction):
        extraction = replace(extraction, source=replace(extraction.source, seek=False))
        result = decode_once(extraction, threads, frozenset())
    whole = bool(is_whole(extraction.source.media, extraction.source.container))
    deadline = time.monotonic() + extraction.settings.deadline_s
    damaged = undecoded = ""
    if result.complaint:
        until_s = result.rows[-1]["pts_s"] if result.limit and result.rows else extraction.clip.end_s
        damage = find_damage(extraction.source.media, extraction.source.stream, until_s, deadline)
        if damage.untrusted_ms:
            result = decode_once(extraction, threads, damage.untrusted_ms)
        damaged = damage_note(damage, extraction, result, whole)
        if damaged == f"ffmpeg complains: {result.complaint}" and result.complaint in result.failure:
            damaged = ""  # the failure says it already
    if not (result.failure or result.limit) and starts_late(result.rows, extraction):
        undecoded = undecoded_note(result.rows, extraction, deadline)
    known = result.limit or "the last picture is at" in damaged or (undecoded and not result.rows)
    end = "" if known else end_note(result.rows, extraction, whole)
    return result, "; ".join(filter(None, [result.failure, result.limit, undecoded, damaged, end]))


def drop_over_budget(out: Path, rows: list[FrameRow], cuts_ms: list[int], budget: int) -> None:
    """Keep at most `budget` of the frames worth keeping, spread over the shots of the video."""
    candidates = [row for row in rows if row["keep"]]
    shots = [bisect(cuts_ms, round(row["pts_s"] * 1000)) for row in candidates]
    n_candidates = float(len(candidates))
    chosen = set(spread([row["pts_s"] for row in candidates], shots, budget))
    for i, row in enumerate(candidates):
        if i not in chosen:
            row.update({"keep": False, "reason": "over_budget", "value": n_candidates, "threshold": float(budget)})
            (out / row["frame"]).unlink()


if __name__ == "__main__":
    start_job(snakemake.log[0])
    extract_within_budget(
        record=read_json(Path(snakemake.input.record)),
        folder=Path(snakemake.input.media),
        out=Path(snakemake.output.frames),
        clip=Clip(**snakemake.params.clip),
        settings=FrameSettings(**snakemake.config["frames"]),
        threads=snakemake.threads,
        budget_gb=snakemake.config["frames_budget_gb"],
    )
