"""Images and labels in tar files that WebDataset streams."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.core.files import whole_file
from scripts.dataset.formats.images import Dataset, objects_of, typical_first

SHARD_BYTES = 500_000_000  # a shard is closed before its members' contents exceed this, unless one pair alone does

Sample = tuple[str, Path, bytes]  # key, image, JSON


def write_shards(dataset: Dataset, shard_bytes: int = SHARD_BYTES) -> None:
    """Write shards/{split}-{number}.tar with KEY.jpg and KEY.json per image, sorted; none for no images."""
    for split, rows in dataset.images.items():
        ordered = typical_first(sorted(rows, key=lambda row: str(row["file"])))
        samples = [sample_of(row, dataset) for row in ordered]
        for number, shard in enumerate(into_shards(samples, shard_bytes)):
            with whole_file(dataset.folder / "shards" / f"{split}-{number:06d}.tar") as part:
                _write_tar(part, shard)


def sample_of(row: dict[str, Any], dataset: Dataset) -> Sample:
    """Return an image's key, path and description."""
    described = {key: row[key] for key in ("file", "video", "pts_s", "width", "height")}
    objects = [
        {"bbox_xyxy_px": box, "class": label, "class_number": dataset.classes.index(label), "confidence": score}
        for box, label, score in objects_of(row)
    ]
    text = json.dumps(described | {"objects": objects}, ensure_ascii=False, sort_keys=True)
    return shard_key(Path(row["file"]).stem), dataset.folder / row["file"], text.encode()


def shard_key(name: str) -> str:
    """Return a name without dots, at the first of which WebDataset would end the key; no id holds a `%` itself."""
    return name.replace(".", "%2E")


def into_shards(samples: list[Sample], shard_bytes: int) -> Iterator[list[Sample]]:
    """Yield runs of samples whose contents together stay within the bound; a larger one stands alone."""
    shard: list[Sample] = []
    size = 0
    for sample in samples:
        more = sample[1].stat().st_size + len(sample[2])
        if shard and size + more > shard_bytes:
            yield shard
            shard, size = [], 0
        shard.append(sample)
        size += more
    if shard:
        yield shard


def _write_tar(path: Path, samples: list[Sample]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for key, image, text in samples:
            for suffix, content in (("jpg", image.read_bytes()), ("json", text)):
                member = tarfile.TarInfo(f"{key}.{suffix}")  # its owner and time are 0 unless set
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
