"""Keep the frames of one video in which the filter model sees enough objects."""

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import link_file
from scripts.core.layout import DROPPED, FILTER_TABLE, FRAMES_TABLE
from scripts.detection.backgrounds import pass_backgrounds
from scripts.detection.cleanup import delete_raw_frames, discard_filtered_media
from scripts.detection.detect import detect_images
from scripts.detection.memory import Memory, read_memory
from scripts.job.budget import MARKS, at_work
from scripts.job.environment import inference_threads
from scripts.job.start import start_job
from scripts.model.inference import Detections, Inference, RuntimeOptions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from scripts.core.row_types import FilterRow, FrameRow

DROPPED_KEPT = 3  # frames per video, because the report shows those of all videos


def filter_frames(
    frames: Path,
    model: Path,
    out: Path,
    memory: Memory,
    query: Inference,
    min_objects: int,
    negatives_share: float,
    runtime: RuntimeOptions,
) -> None:
    """Link the frames that pass into `out` and write filter.parquet with a row per candidate, and the memory."""
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as detecting:  # during inference this process imports what it needs for tables
        images = sorted(frames.glob("*.jpg"))
        answers = detecting.submit(list, detect_images(model, images, query, runtime, [memory]))
        from scripts.core.schemas import FILTER
        from scripts.core.tables import read_note, read_rows, write_table

        rows: list[FrameRow] = read_rows(frames / FRAMES_TABLE)
        found = {one.image.name: one for one in answers.result()}
    memory.write([row["frame"] for row in rows])
    judged = [judge_frame(row, found.get(row["frame"]), min_objects) for row in rows]
    judged = pass_backgrounds(judged, negatives_share)
    for row in judged:
        if row["passed"]:
            link_file(frames / row["frame"], out / row["frame"])
    for name in pick_dropped(judged):
        link_file(frames / name, out / DROPPED / name)
    write_table(out / FILTER_TABLE, judged, FILTER, read_note(frames / FRAMES_TABLE))
    logging.info("%d of %d frames passed", sum(row["passed"] for row in judged), len(judged))


def judge_frame(row: "FrameRow", found: Detections | None, min_objects: int) -> "FilterRow":
    """Return the candidate's row with its objects, and whether it passed or why not. None: the file is unreadable."""
    objects = found.classes if found else []
    judged: FilterRow = {
        **row,
        "boxes_xyxy_px": found.boxes_xyxy_px if found else [],
        "classes": objects,
        "confidences": found.confidences if found else [],
        "passed": len(objects) >= min_objects,
        "background": False,
    }
    if row["keep"] and found is None:
        return {**judged, "passed": False, "reason": "unreadable", "value": None, "threshold": None}
    if row["keep"] and not judged["passed"]:
        count, wanted = float(len(objects)), float(min_objects)
        return {**judged, "reason": "too_few_objects", "value": count, "threshold": wanted}
    return judged


def pick_dropped(judged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a few of the dropped frames, evenly spread in time."""
    names = [row["frame"] for row in judged if row["reason"] == "too_few_objects"]
    count = min(DROPPED_KEPT, len(names))
    return [names[(2 * number + 1) * len(names) // (2 * count)] for number in range(count)]


if __name__ == "__main__":
    start_job(snakemake.log[0])
    video, params, out = snakemake.wildcards.video, snakemake.params, Path(snakemake.output.frames)
    frames, model, query = Path(snakemake.input.frames), Path(snakemake.input.model), Inference(**params.query)
    memory = read_memory(Path(snakemake.output.seen), model, params.engine, query)
    runtime = RuntimeOptions(inference_threads(), Path(params.work), snakemake.config["detector"]["warm"])
    with at_work(MARKS, "filter", video):
        filter_frames(frames, model, out, memory, query, params.min_objects, params.negatives_share, runtime)
        delete_raw_frames(frames, snakemake.config["cleanup_raw_frames"])
    discard_filtered_media(video, snakemake.config, results=out.parents[1])
