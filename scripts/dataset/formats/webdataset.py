"""Write images and labels into tar files for WebDataset."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from scripts.core.files import whole_file
from scripts.core.row_types import ImageRow
from scripts.dataset.formats.images import Dataset, objects_of, typical_first

SHARD_BYTES = 500_000_000  # of the contents of a shard; only a single pair may exceed it

Sample = tuple[str, Path, bytes]  # key, image, JSON


def write_shards(dataset: Dataset, shard_bytes: int = SHARD_BYTES) -> None:
    """Write shards/{split}-{number}.tar with KEY.jpg and KEY.json per image, sorted; no shard without images."""
    for split, rows in dataset.images.items():
        ordered = typical_first(sorted(rows, key=lambda row: str(row["file"])))
        samples = [sample_of(row, dataset) for row in ordered]
        for number, shard in enumerate(into_shards(samples, shard_bytes)):
            with whole_file(dataset.folder / "shards" / f"{split}-{number:06d}.tar") as part:
                _write_tar(part, shard)


def sample_of(row: ImageRow, dataset: Dataset) -> Sample:
    """Return the key, path and description (JSON) of an image."""
    objects = [
        {"bbox_xyxy_px": box, "class": label, "class_number": dataset.classes.index(label), "confidence": score}
        for box, label, score in objects_of(row)
    ]
    described = {
        "file": row["file"],
        "video": row["video"],
        "pts_s": row["pts_s"],
        "width": row["width"],
        "height": row["height"],
        "objects": objects,
    }
    text = json.dumps(described, ensure_ascii=False, sort_keys=True)
    return shard_key(Path(row["file"]).stem), dataset.folder / row["file"], text.encode()


def shard_key(name: str) -> str:
    """Replace dots in a name: WebDataset ends a key at the first dot. Names contain no `%` themselves."""
    return name.replace(".", "%2E")


def into_shards(samples: list[Sample], shard_bytes: int) -> Iterator[list[Sample]]:
    """Divide samples into shards of at most this size; a larger sample gets a shard of its own."""
    shard: list[Sample] = []
    size = 0
    for sample in samples:
        added = sample[1].stat().st_size + len(sample[2])
        if shard and size + added > shard_bytes:
            yield shard
            shard, size = [], 0
        shard.append(sample)
        size += added
    if shard:
        yield shard


def _write_tar(path: Path, samples: list[Sample]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for key, image, text in samples:
            for suffix, content in (("jpg", image.read_bytes()), ("json", text)):
                member = tarfile.TarInfo(f"{key}.{suffix}")  # owner and time are 0 by default
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
