"""Gather the records, filter tables and hashes of a shard's videos, so that later stages read a few large files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.files import read_json
from scripts.core.joined_tables import join_tables
from scripts.core.layout import FILTER_TABLE, HASHES_TABLE, RESULTS, filter_table, hashes_table, record_path
from scripts.core.schemas import FILTER, HASHES
from scripts.core.tables import read_note
from scripts.inputs.gathered import Gathered, write_gathered
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def gather_videos(results: Path, videos: Sequence[str], shard: Path) -> None:
    """Write into a shard's folder what the stages before made of these videos."""
    found: dict[str, Gathered] = {
        video: {"record": read_json(record_path(results, video)), "note": read_note(filter_table(results, video))}
        for video in videos
    }
    write_gathered(shard, found)
    join_tables(shard / FILTER_TABLE, {video: filter_table(results, video) for video in videos}, FILTER)
    join_tables(shard / HASHES_TABLE, {video: hashes_table(results, video) for video in videos}, HASHES)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    gather_videos(RESULTS, snakemake.params.videos, Path(snakemake.output.shard))
