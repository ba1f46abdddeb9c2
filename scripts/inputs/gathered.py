"""What was gathered of the videos of each shard: stages that work on all videos read it instead of files per video."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from scripts.core.files import read_json, write_json
from scripts.core.layout import FILTER_TABLE, HASHES_TABLE

if TYPE_CHECKING:
    from scripts.core.row_types import VideoRecord

VIDEOS_FOLDER, DETECTIONS_FOLDER = FOLDERS = ("gathered/videos", "gathered/detections")  # in results/
GATHERING = ("gather_videos", "gather_detections")  # the rules
RECORDS = "records.json"
DETECTIONS_TABLE = "detections.parquet"
FILES = {VIDEOS_FOLDER: (RECORDS, FILTER_TABLE, HASHES_TABLE), DETECTIONS_FOLDER: (DETECTIONS_TABLE,)}  # of a shard


class Gathered(TypedDict):
    """What is gathered of a video beside its tables: its record, and the note of the filter's table."""

    record: "VideoRecord"
    note: str


@dataclass(frozen=True)
class Shards:
    """The folders of what was gathered of each shard's videos: before deduplication, and their labels."""

    videos: Sequence[Path]
    detections: Sequence[Path]

    @classmethod
    def of(cls, videos: Iterable[str], detections: Iterable[str]) -> "Shards":
        """Return the shards with these paths."""
        return cls(list(map(Path, videos)), list(map(Path, detections)))

    def filter_tables(self) -> list[Path]:
        """Return the tables of all frames with the filter's verdicts."""
        return [shard / FILTER_TABLE for shard in self.videos]

    def label_tables(self) -> list[Path]:
        """Return the tables of the labels."""
        return [shard / DETECTIONS_TABLE for shard in self.detections]


def write_gathered(shard: Path, videos: Mapping[str, Gathered]) -> None:
    """Write the records and notes of a shard's videos."""
    write_json(shard / RECORDS, videos)


def read_gathered(shards: Iterable[Path]) -> dict[str, Gathered]:
    """Return the records and notes of all videos."""
    found: dict[str, Gathered] = {}
    for shard in shards:
        found |= read_json(shard / RECORDS)
    return found


def gathered_files(results: Path, shards: Iterable[str]) -> Iterator[Path]:
    """Yield the files of these shards."""
    for shard in shards:
        yield from (results / folder / shard / name for folder, names in FILES.items() for name in names)
