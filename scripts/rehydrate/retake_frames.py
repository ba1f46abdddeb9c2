"""Take the published frames of one video again, and say of each whether it is what was published."""

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import read_json, whole_file
from scripts.core.layout import RETAKEN_TABLE
from scripts.core.schemas import RETAKEN
from scripts.core.tables import write_table
from scripts.dataset.manifest import read_published
from scripts.frames.quality import measure
from scripts.job.start import start_job
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from scripts.media.probe import SEEKABLE
from scripts.rehydrate.instants import FrameOutput, take_instants

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Row = dict[str, Any]
SAME_PICTURE_BITS = 4  # in measurements re-encoding moved 99% of hashes no further, at half the size, too
MISFIT_SHARE = 0.1  # of a video's pictures; if more differ, its times are another upload's
SAME_SHAPE = 0.01  # relative: sizes are rounded to even numbers


def retake_frames(record: Row, folder: Path, wanted: list[Row], out: Path, clip: Clip, output: FrameOutput) -> None:
    """Write the pictures that are as published into `out`, and retaken.parquet with the outcome of each frame."""
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Row] = {}
    missing = f"video unavailable: {record['status']}: {' '.join(record['message'].split())}"
    if record["status"] == "ok":
        facts, media = record["media"], folder / record["media"]["file"]
        seek = clip.start_s > 0 and facts["container"] in SEEKABLE
        missing = "no picture at that time"
        for way in (True, False) if seek else (False,):  # as when they were taken: where seeking loses some, without
            source = MediaStream(media, facts["stream"], facts["container"], facts["duration_s"], way)
            rest = [row for row in wanted if found.get(row["frame"], {}).get("outcome") != "identical"]
            fault = take(source, clip, rest, output, out, found) if rest else ""
        missing += f": {fault}" if fault else ""
    distrust_shifted(found, out)
    lost = {"outcome": "lost", "reason": missing}
    rows = [{"frame": row["frame"]} | found.get(row["frame"], lost) for row in wanted]
    write_table(out / RETAKEN_TABLE, rows, RETAKEN)
    made = sum(row["outcome"] != "lost" for row in rows)
    logging.info("%s: %d of %d frames are as published", record["video"], made, len(rows))


def take(
    source: MediaStream, clip: Clip, wanted: list[Row], output: FrameOutput, out: Path, found: dict[str, Row]
) -> str:
    """Take frames, write those that are as published, and note the outcome in `found`; return what stopped it."""
    by_ms = {int(row["frame"][:9]): row for row in wanted}
    fault = ""
    for taken in take_instants(source, clip, list(by_ms), output):
        if isinstance(taken, str):
            fault = taken
            continue
        row = by_ms[taken[0]]
        outcome = compare(taken[1], row)
        if outcome["outcome"] == "lost" and found.get(row["frame"], outcome)["outcome"] != "lost":
            continue
        found[row["frame"]] = outcome
        if outcome["outcome"] != "lost":
            with whole_file(out / row["frame"]) as part:
                part.write_bytes(taken[1])
    return fault


def distrust_shifted(found: dict[str, Row], out: Path) -> None:
    """Take back pictures that are not identical if others of the video differ.

    With a fixed camera, a second before or after can look the same, but its objects have moved.
    """
    other = sum(row["outcome"] == "lost" for row in found.values())
    if other <= MISFIT_SHARE * len(found):
        return
    reason = f"{other} of {len(found)} pictures of the video differ, so its times may be shifted"
    for frame, row in found.items():
        if row["outcome"] == "same picture":
            row |= {"outcome": "lost", "reason": reason}
            (out / frame).unlink()


def compare(jpeg: bytes, row: Row) -> Row:
    """Return whether a picture is identical to the published one, the same picture coded otherwise, or another."""
    if hashlib.sha256(jpeg).hexdigest() == row["sha256"]:
        return {"outcome": "identical", "reason": "", "distance_bits": 0}
    measured = measure(jpeg)
    if measured is None:
        return {"outcome": "lost", "reason": "the picture at that time cannot be read"}
    bits = (int(measured["phash"], 16) ^ int(row["phash"], 16)).bit_count()
    width, height = measured["width"], measured["height"]
    if abs(width * row["height"] / (height * row["width"]) - 1) > SAME_SHAPE:
        said = f"picture is {width} x {height}, of another shape than {row['width']} x {row['height']}"
        return {"outcome": "lost", "reason": said, "distance_bits": bits}
    if bits > SAME_PICTURE_BITS:
        return {"outcome": "lost", "reason": f"picture differs by {bits} bits", "distance_bits": bits}
    return {"outcome": "same picture", "reason": "", "distance_bits": bits}


if __name__ == "__main__":
    start_job(snakemake.log[0])
    retake_frames(
        record=read_json(Path(snakemake.input.record)),
        folder=Path(snakemake.input.media),
        wanted=read_published(Path(snakemake.input.manifest), snakemake.wildcards.video),
        out=Path(snakemake.output.frames),
        clip=Clip(**snakemake.params.clip),
        output=FrameOutput(
            max_side_px=int(snakemake.params.settings["max_side_px"]),
            jpeg_qscale=int(snakemake.params.settings["jpeg_qscale"]),
            threads=snakemake.threads,
            deadline_s=snakemake.config["frames"]["deadline_s"],
        ),
    )
