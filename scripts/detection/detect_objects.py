"""Label the kept frames of one video with the final model."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import FILTER_TABLE
from scripts.core.row_types import DetectionRow, FilterRow
from scripts.core.schemas import DETECTIONS
from scripts.core.tables import read_rows, write_table
from scripts.detection.detect import detect_images
from scripts.detection.memory import Memory, read_memory
from scripts.job.environment import inference_threads
from scripts.job.start import start_job
from scripts.model.inference import Inference, RuntimeOptions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def detect_objects(
    video: str,
    frames: Path,
    kept: Path,
    model: Path,
    out: Path,
    memories: Sequence[Memory],
    query: Inference,
    runtime: RuntimeOptions,
) -> None:
    """Write a row per kept frame of the video with its boxes, classes and confidences, and the first of the memories.

    The second memory, if there is one, is the filter's. It helps if both have the same model, input size and IoU.
    """
    wanted: list[str] = read_json(kept)[video]["frames"]
    filtered: list[FilterRow] = read_rows(frames / FILTER_TABLE)
    sizes = {row["frame"]: row for row in filtered}
    rows: list[DetectionRow] = []
    for found in detect_images(model, [frames / name for name in wanted], query, runtime, memories):
        size = sizes[found.image.name]
        rows.append(
            {
                "video": video,
                "frame": found.image.name,
                "width": size["width"],
                "height": size["height"],
                "boxes_xyxy_px": found.boxes_xyxy_px,
                "classes": found.classes,
                "confidences": found.confidences,
            }
        )
    if missing := set(wanted) - {row["frame"] for row in rows}:
        raise UserError(
            f"{video}: {len(missing)} frame(s) in {frames} cannot be read, such as {min(missing)};"
            " delete that folder and run again"
        )
    memories[0].write(sizes)
    write_table(out, rows, DETECTIONS)
    logging.info("%s: %d objects in %d frames", video, sum(len(row["classes"]) for row in rows), len(rows))


if __name__ == "__main__":
    start_job(snakemake.log[0])
    given, params, out = snakemake.input, snakemake.params, snakemake.output
    frames, kept, model = Path(given.frames), Path(given.kept), Path(given.model)
    query = Inference(**params.query)
    memories = [read_memory(Path(path), model, params.engine, query) for path in (out.seen, params.filter_saw)]
    runtime = RuntimeOptions(inference_threads(), Path(params.work), snakemake.config["detector"]["warm"])
    detect_objects(snakemake.wildcards.video, frames, kept, model, Path(out.table), memories, query, runtime)
