"""Keep the frames of one video in which the filter model sees enough objects."""

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.errors import UserError
from scripts.core.files import delete_folder, link_file
from scripts.core.layout import DROPPED, FILTER_TABLE, FRAMES_TABLE
from scripts.detection.backgrounds import pass_backgrounds
from scripts.detection.detect import detect_images
from scripts.download.options import DownloadOptions
from scripts.download.store import discard_media
from scripts.inputs.rows import parts_of
from scripts.job.budget import MARKS, at_work
from scripts.job.environment import inference_threads
from scripts.job.start import start_job
from scripts.model.inference import Detections, Inference, RuntimeOptions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

DROPPED_KEPT = 3  # per video, since those of thousands are on one page


def filter_frames(
    frames: Path,
    model: Path,
    out: Path,
    query: Inference,
    min_objects: int,
    negatives_share: float,
    runtime: RuntimeOptions,
) -> None:
    """Link the frames that pass into `out` and write filter.parquet with a row per candidate."""
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as asking:  # while the model looks, this process loads what it needs for tables
        answers = asking.submit(list, detect_images(model, sorted(frames.glob("*.jpg")), query, runtime))
        from scripts.core.schemas import FILTER
        from scripts.core.tables import read_note, read_rows, write_table

        rows = read_rows(frames / FRAMES_TABLE)
        found = {seen.image.name: seen for seen in answers.result()}
    judged = [judge_frame(row, found.get(row["frame"]), min_objects) for row in rows]
    judged = pass_backgrounds(judged, negatives_share)
    for row in judged:
        if row["passed"]:
            link_file(frames / row["frame"], out / row["frame"])
    for name in pick_dropped(judged):
        link_file(frames / name, out / DROPPED / name)
    write_table(out / FILTER_TABLE, judged, FILTER, read_note(frames / FRAMES_TABLE))
    logging.info("%d of %d frames passed", sum(row["passed"] for row in judged), len(judged))


def judge_frame(row: dict[str, Any], found: Detections | None, min_objects: int) -> dict[str, Any]:
    """Return the candidate's row with its objects and whether it passed, or why not."""
    objects = found.classes if found else []
    judged = row | {
        "boxes_xyxy_px": found.boxes_xyxy_px if found else [],
        "classes": objects,
        "confidences": found.confidences if found else [],
        "passed": len(objects) >= min_objects,
        "background": False,
    }
    if row["keep"] and found is None:
        return judged | {"passed": False, "reason": "unreadable", "value": None, "threshold": None}
    if row["keep"] and not judged["passed"]:
        return judged | {"reason": "too_few_objects", "value": float(len(objects)), "threshold": float(min_objects)}
    return judged


def pick_dropped(judged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a few of the frames that the filter drops, evenly spread in time."""
    names = [row["frame"] for row in judged if row["reason"] == "too_few_objects"]
    count = min(DROPPED_KEPT, len(names))
    return [names[(2 * number + 1) * len(names) // (2 * count)] for number in range(count)]


if __name__ == "__main__":
    start_job(snakemake.log[0])
    with at_work(MARKS, "filter", snakemake.wildcards.video):
        filter_frames(
            frames=Path(snakemake.input.frames),
            model=Path(snakemake.input.model),
            out=Path(snakemake.output.frames),
            query=Inference(**snakemake.params.query),
            min_objects=snakemake.params.min_objects,
            negatives_share=snakemake.params.negatives_share,
            runtime=RuntimeOptions(
                inference_threads(), Path(snakemake.params.work), snakemake.config["detector"]["warm"]
            ),
        )
        # Snakemake keeps temp() outputs until the checkpoint is done, when those of all videos would lie on disk. What
        # to delete is no parameter, since it must not filter anything again.
        if snakemake.config["cleanup_raw_frames"]:
            delete_folder(Path(snakemake.input.frames))
    if not snakemake.config["keep_media"]:
        try:
            discard_media(
                snakemake.wildcards.video,
                parts_of(snakemake.config, snakemake.wildcards.video),
                results=Path(snakemake.output.frames).parents[1],
                store=Path(snakemake.config["store"]),
                options=DownloadOptions.from_config(snakemake.config["download"]),
            )
        except (UserError, OSError) as error:
            logging.warning("the media stay in the store: %s", error)  # the frames are filtered nevertheless
