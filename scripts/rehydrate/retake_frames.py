"""Extract the published frames of one video again, and compare each with the published one."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.files import read_json, whole_file
from scripts.core.layout import RETAKEN_TABLE
from scripts.core.row_types import PublishedRow, RetakenRow, VideoRecord
from scripts.core.schemas import RETAKEN
from scripts.core.tables import write_table
from scripts.dataset.manifest import read_published
from scripts.frames.extraction import colour_of
from scripts.frames.quality import measure
from scripts.inputs.published import published_hdr
from scripts.job.start import start_job
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from scripts.media.probe import SEEKABLE
from scripts.rehydrate.instants import FrameOutput, frames_at

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


SAME_PICTURE_BITS = 4  # in measurements re-encoding moved 99% of hashes no further, even at half the size
MAX_DIFFERING_SHARE = 0.1  # of a video's frames; if more differ, the times are those of another upload
SHAPE_TOLERANCE = 0.01  # relative: sizes are rounded to even numbers


@dataclass(frozen=True)
class Comparison:
    """How a frame compares with the published one: `identical`, `same picture` or `lost`, and why it is lost."""

    outcome: str
    reason: str = ""
    distance_bits: int | None = None


def retake_frames(
    record: VideoRecord,
    folder: Path,
    wanted: list[PublishedRow],
    out: Path,
    clip: Clip,
    output: FrameOutput,
    hdr: str,
) -> None:
    """Write the frames that are as published into `out`, and retaken.parquet with the outcome of each.

    `hdr` is what config key frames.hdr was for the published frames.
    """
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Comparison] = {}
    media = record["media"]
    missing = f"video unavailable: {record['status']}: {' '.join(record['message'].split())}"
    if record["status"] == "ok" and media is not None:
        seekable = clip.start_s > 0 and media["container"] in SEEKABLE
        missing = "no picture at that time"
        colour = colour_of(media, hdr)
        # The first extraction decoded from the start of the file where seeking lost frames; so does this one.
        for seek in (True, False) if seekable else (False,):
            place = (folder / media["file"], media["stream"], media["container"], media["duration_s"])
            source = MediaStream(*place, seek, colour)
            remaining = [row for row in wanted if not _is_identical(found.get(row["frame"]))]
            failure = retake(source, clip, remaining, output, out, found) if remaining else ""
        missing += f": {failure}" if failure else ""
    reject_shifted(found, out)
    lost = Comparison("lost", missing)
    rows = [retaken_row(row["frame"], found.get(row["frame"], lost)) for row in wanted]
    write_table(out / RETAKEN_TABLE, rows, RETAKEN)
    made = sum(row["outcome"] != "lost" for row in rows)
    logging.info("%s: %d of %d frames are as published", record["video"], made, len(rows))


def retaken_row(frame: str, comparison: Comparison) -> RetakenRow:
    """Return the row of a frame in retaken.parquet."""
    outcome, bits = comparison.outcome, comparison.distance_bits
    return RetakenRow(frame=frame, outcome=outcome, reason=comparison.reason, distance_bits=bits)


def _is_identical(comparison: Comparison | None) -> bool:
    return comparison is not None and comparison.outcome == "identical"


def retake(
    source: MediaStream,
    clip: Clip,
    wanted: list[PublishedRow],
    output: FrameOutput,
    out: Path,
    found: dict[str, Comparison],
) -> str:
    """Write the frames that are as published and add each comparison to `found`; return why ffmpeg stopped early."""
    if source.colour.fault:
        return source.colour.fault
    by_ms = {int(row["frame"][:9]): row for row in wanted}
    failure = ""
    for frame in frames_at(source, clip, list(by_ms), output):
        if isinstance(frame, str):
            failure = frame
            continue
        row = by_ms[frame.pts_ms]
        comparison = compare(frame.jpeg, row)
        if comparison.outcome == "lost" and found.get(row["frame"], comparison).outcome != "lost":
            continue
        found[row["frame"]] = comparison
        if comparison.outcome != "lost":
            with whole_file(out / row["frame"]) as part:
                part.write_bytes(frame.jpeg)
    return failure


def reject_shifted(found: dict[str, Comparison], out: Path) -> None:
    """Reject frames that are not identical if too many others of the video differ.

    With a fixed camera, a second before or after can look the same, but its objects have moved.
    """
    differing = sum(comparison.outcome == "lost" for comparison in found.values())
    if differing <= MAX_DIFFERING_SHARE * len(found):
        return
    reason = f"{differing} of {len(found)} pictures of the video differ, so its times may be shifted"
    for frame, comparison in found.items():
        if comparison.outcome == "same picture":
            found[frame] = Comparison("lost", reason, comparison.distance_bits)
            (out / frame).unlink()


def compare(jpeg: bytes, row: PublishedRow) -> Comparison:
    """Return whether a JPEG is identical to the published one, the same picture re-encoded, or another picture."""
    if hashlib.sha256(jpeg).hexdigest() == row["sha256"]:
        return Comparison("identical", distance_bits=0)
    measures = measure(jpeg)
    if measures is None:
        return Comparison("lost", "the picture at that time cannot be read")
    bits = (int(measures["phash"], 16) ^ int(row["phash"], 16)).bit_count()
    width, height = measures["width"], measures["height"]
    if abs(width * row["height"] / (height * row["width"]) - 1) > SHAPE_TOLERANCE:
        reason = f"picture is {width} x {height}, of another shape than {row['width']} x {row['height']}"
        return Comparison("lost", reason, bits)
    if bits > SAME_PICTURE_BITS:
        return Comparison("lost", f"picture differs by {bits} bits", bits)
    return Comparison("same picture", distance_bits=bits)


def published_output(columns: Mapping[str, str], threads: int, deadline_s: float) -> FrameOutput:
    """Return the output settings in a row of the published videos.tsv."""
    return FrameOutput(int(columns["max_side_px"]), int(columns["jpeg_qscale"]), threads, deadline_s)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    retake_frames(
        record=read_json(Path(snakemake.input.record)),
        folder=Path(snakemake.input.media),
        wanted=read_published(Path(snakemake.input.manifest), snakemake.wildcards.video),
        out=Path(snakemake.output.frames),
        clip=Clip(**snakemake.params.clip),
        hdr=published_hdr(snakemake.params.settings),
        output=published_output(snakemake.params.settings, snakemake.threads, snakemake.config["frames"]["deadline_s"]),
    )
