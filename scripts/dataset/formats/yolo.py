"""Write labels in YOLO's format: a text file per image, data.yaml, and lists of images and classes for other tools."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.core.files import write_text
from scripts.core.layout import DATA_YAML
from scripts.dataset.formats.images import Dataset
from scripts.inputs.videos import SPLITS

# ultralytics writes these beside labels and images; git and Hugging Face's upload leave out what .gitignore names.
NOT_PUBLISHED = "*.cache\n*.npy\n"
MILLION = 10**6  # shares have six digits


def write_yolo(dataset: Dataset) -> None:
    """Write labels/, data.yaml and the lists; images without objects have an empty file."""
    for split, rows in dataset.images.items():
        folder = dataset.folder / "labels" / split
        folder.mkdir(parents=True, exist_ok=True)  # empty splits too
        for row in rows:
            write_text(folder / f"{Path(row['file']).stem}.txt", label_lines(row, dataset.classes))
    files = {split: [row["file"] for row in rows] for split, rows in dataset.images.items()}
    write_index(dataset.folder, dataset.classes, files)


def write_index(folder: Path, classes: list[str], files: Mapping[str, Iterable[str]]) -> None:
    """Write data.yaml, a list of the images of each split, and classes.txt, a name per line.

    `files` are relative to the folder. In lists, ultralytics takes `./` for the folder of the list.
    """
    for split in SPLITS:
        write_text(folder / f"{split}.txt", "".join(f"./{file}\n" for file in files.get(split, ())))
    write_text(folder / "classes.txt", "".join(" ".join(name.split()) + "\n" for name in classes))
    write_text(folder / DATA_YAML, data_yaml(classes))
    write_text(folder / ".gitignore", NOT_PUBLISHED)


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
