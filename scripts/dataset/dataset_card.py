"""Render the dataset card: contents, sources, settings and how to load it."""

import html
import string
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
import yaml

from scripts.core.characters import printable
from scripts.core.files import sha256_of
from scripts.core.layout import MANIFEST_TABLE
from scripts.dataset.formats.imagefolder import METADATA, features
from scripts.dataset.formats.images import Dataset
from scripts.dataset.versions import installed_versions, model_facts

PACKAGES = ("ultralytics", "torch", "openvino", "ImageHash", "numpy", "pillow", "pyarrow", "snakemake", "yt-dlp")
MOST_VIDEOS = 100  # in the card's table; ATTRIBUTION.tsv has them all
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
# The files that load_dataset reads, in order of preference: it reads a folder in one format only. Without any of these
# formats it reads the images alone.
HUB_PLACES = {
    "imagefolder": ["images/{}/*.jpg", "images/{}/" + METADATA],
    "webdataset": ["shards/{}-*.tar"],
    "parquet": ["data/{}.parquet"],
}
IMAGES_ALONE = ["images/{}/*.jpg"]
HUB_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def render_card(
    template: Path,
    dataset: Dataset,
    formats: list[str],
    credits: list[dict[str, str]],
    models: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> str:
    """Return the card in Markdown; the manifest must exist.

    `credits` has a row per video with images, as in ATTRIBUTION.tsv.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["md"] = escape_markdown
    of_split = dataset.images.items()
    images = [row for _, rows in of_split for row in rows]
    counts = Counter(row["video"] for row in images)
    shown = sorted(credits, key=lambda row: -counts[row["video"]])[:MOST_VIDEOS]
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        front=yaml.safe_dump(front_matter(dataset, formats), sort_keys=False, allow_unicode=True),
        classes=dataset.classes,
        splits=dataset.images,
        objects=Counter((label, split) for split, rows in of_split for row in rows for label in row["classes"]),
        backgrounds=Counter(split for split, rows in of_split for row in rows if not row["classes"]),
        videos={split: len({row["video"] for row in rows}) for split, rows in of_split},
        licences=Counter(row["license"] for row in credits).most_common(),
        sources=Counter(urlsplit(row["url"]).hostname or "local files" for row in credits).most_common(),
        credits=shown,
        images_of=counts,
        more=len(credits) - len(shown),
        models={role: model_facts(card) for role, card in models.items()},
        settings=yaml.safe_dump(dict(settings), allow_unicode=True).rstrip(),
        versions=installed_versions(PACKAGES),
        formats=formats,
        is_empty=not images,
    )


def escape_markdown(text: str) -> str:
    """Escape text so that Markdown shows it without markup, links or line breaks."""
    marks = {c: html.escape(c) if c in "<>&\"'" else f"\\{c}" for c in string.punctuation if c not in ",;"}
    return "".join(marks.get(char, char) for char in " ".join(printable(text).split()))


def front_matter(dataset: Dataset, formats: list[str]) -> dict[str, Any]:
    """Return the metadata that Hugging Face reads; load_dataset finds the splits by `configs`."""
    total = sum(map(len, dataset.images.values()))
    return {
        "pretty_name": "Frames of videos with boxes of objects",
        "license": "other",  # a licence per video
        "license_name": "per-video",
        "license_link": "ATTRIBUTION.tsv",
        "annotations_creators": ["machine-generated"],
        "task_categories": ["object-detection"],
        "size_categories": [next((name for most, name in SIZES if total < most), "n>1M")],
        "configs": [hub_config(dataset, formats)],
    }


def hub_config(dataset: Dataset, formats: list[str]) -> dict[str, Any]:
    """Return what load_dataset reads, and the types of its columns.

    Splits without images are left out, for the library cannot load them. If no split has any, all are named: it then
    says that it finds no files. Without an entry it would read other files, such as COCO's, as rows.

    The library caches what it read under a hash of this entry, and not of the files: the digest makes it differ.
    """
    found = [split for split, rows in dataset.images.items() if rows]
    form = next((form for form in HUB_PLACES if form in formats), "") if found else ""
    places = HUB_PLACES.get(form, IMAGES_ALONE)
    entry: dict[str, Any] = {
        "config_name": "default",
        "description": f"content sha256:{sha256_of(dataset.folder / MANIFEST_TABLE)}",
        "data_files": [
            {"split": HUB_SPLITS[split], "path": [place.format(split) for place in places]}
            for split in found or dataset.images
        ],
    }
    if form == "imagefolder":
        return entry | {"features": features(dataset.classes)}
    return entry if form else entry | {"drop_labels": True}  # else the folders' names become classes
