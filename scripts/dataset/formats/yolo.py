"""Write labels in YOLO's format: a text file per image, and data.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.core.files import write_text
from scripts.core.layout import DATA_YAML
from scripts.dataset.formats.images import Dataset
from scripts.inputs.videos import SPLITS

MILLION = 10**6  # shares have six digits


def write_yolo(dataset: Dataset) -> None:
    """Write labels/ and data.yaml; images without objects have an empty file."""
    for split, rows in dataset.images.items():
        folder = dataset.folder / "labels" / split
        folder.mkdir(parents=True, exist_ok=True)  # empty splits too
        for row in rows:
            write_text(folder / f"{Path(row['file']).stem}.txt", label_lines(row, dataset.classes))
    write_text(dataset.folder / DATA_YAML, data_yaml(dataset.classes))


def label_lines(row: Mapping[str, Any], classes: list[str]) -> str:
    """Return a line per object: class number, centre and size as shares of the image."""
    lines = []
    for (x1, y1, x2, y2), label in zip(row["boxes_xyxy_px"], row["classes"], strict=True):
        across, wide = centre_and_size(x1, x2, row["width"])
        down, high = centre_and_size(y1, y2, row["height"])
        shares = [f"{millionths / MILLION:.6f}" for millionths in (across, down, wide, high)]
        lines.append(" ".join([str(classes.index(label)), *shares]) + "\n")
    return "".join(lines)


def centre_and_size(low: float, high: float, side: int) -> tuple[int, int]:
    """Return the centre and the size of a box along one side of the image, in millionths of that side.

    The size is no more than what fits around the rounded centre, so that the corners that others compute are inside.
    """
    centre, size = (round(round(share, 6) * MILLION) for share in ((low + high) / 2 / side, (high - low) / side))
    centre = min(max(centre, 1), MILLION - 1)
    return centre, max(1, min(size, 2 * centre, 2 * (MILLION - centre)))


def data_yaml(classes: list[str]) -> str:
    """Return ultralytics' description of the dataset; without the key `path`, its folders are beside the file."""
    return yaml.safe_dump(
        {**{s: f"images/{s}" for s in SPLITS}, "names": dict(enumerate(classes))}, sort_keys=False, allow_unicode=True
    )
