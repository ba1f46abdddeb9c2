"""What gather_videos and gather_detections write, of files where tests have put them."""

from collections.abc import Mapping
from pathlib import Path

from scripts.core.files import read_json
from scripts.core.joined_tables import join_tables
from scripts.core.layout import FILTER_TABLE, HASHES_TABLE
from scripts.core.schemas import DETECTIONS, FILTER, HASHES
from scripts.core.tables import read_note
from scripts.dedup.features import VideoFiles
from scripts.inputs.gathered import DETECTIONS_TABLE, Gathered, Shards, write_gathered


def gather_frames(shard: Path, sources: Mapping[str, VideoFiles]) -> Path:
    """Gather the filter's tables and the hashes of videos into a shard's folder, and return it."""
    files = dict(sorted(sources.items()))
    join_tables(shard / FILTER_TABLE, {video: of.filtered for video, of in files.items()}, FILTER)
    join_tables(shard / HASHES_TABLE, {video: of.hashes / HASHES_TABLE for video, of in files.items()}, HASHES)
    return shard


def gather(folder: Path, folders: Mapping[str, Mapping[str, Path]], n_shards: int = 2) -> Shards:
    """Gather records, filter's tables and labels of videos, into more than one shard."""
    videos = sorted(folders)
    found = Shards([], [])
    for number in range(n_shards):
        shard, of_shard = folder / f"gathered/{number}", videos[number::n_shards]
        tables = {video: folders[video]["filtered"] / FILTER_TABLE for video in of_shard}
        records: dict[str, Gathered] = {
            v: {"record": read_json(folders[v]["record"]), "note": read_note(table)} for v, table in tables.items()
        }
        write_gathered(shard, records)
        join_tables(shard / FILTER_TABLE, tables, FILTER)
        join_tables(shard / DETECTIONS_TABLE, {v: folders[v]["detections"] for v in of_shard}, DETECTIONS)
        found = Shards([*found.videos, shard], [*found.detections, shard])
    return found
