"""Gather the labels of a shard's videos, so that later stages read a few large files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.joined_tables import join_tables
from scripts.core.layout import RESULTS, detections_table
from scripts.core.schemas import DETECTIONS
from scripts.inputs.gathered import DETECTIONS_TABLE
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def gather_detections(results: Path, videos: Sequence[str], shard: Path) -> None:
    """Write into a shard's folder the labels of these videos."""
    join_tables(shard / DETECTIONS_TABLE, {video: detections_table(results, video) for video in videos}, DETECTIONS)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    gather_detections(RESULTS, snakemake.params.videos, Path(snakemake.output.shard))
