"""Publish a dataset without its images: their times, hashes and labels, and the URLs of the videos."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.files import sha256_of, write_text
from scripts.core.layout import MANIFEST_TABLE, VIDEOS_TABLE
from scripts.core.row_types import FilterRow, ImageRow, PublishedRow
from scripts.core.schemas import PUBLISHED
from scripts.core.tables import open_table, read_note, read_rows, write_table
from scripts.core.tsv import tsv_text
from scripts.inputs.gathered import Gathered
from scripts.inputs.published import COLUMNS, HDR, SETTINGS
from scripts.inputs.redact import public_url
from scripts.inputs.videos import SPLITS, VIDEO_ID

FRAME = re.compile(r"\d{9}\.jpg")
FILE = re.compile(rf"images/({'|'.join(SPLITS)})/[A-Za-z0-9][A-Za-z0-9._-]*\.jpg")
SHA256 = re.compile(r"[0-9a-f]{64}")
PHASH = re.compile(r"[0-9a-f]{16}")


def publish(
    out: Path,
    images: Iterable[ImageRow],
    videos: Mapping[str, Mapping[str, Any]],
    gathered: Mapping[str, Gathered],
    filter_tables: Iterable[Path],
    names: list[str],
) -> None:
    """Write manifest.parquet (a row per image) and videos.tsv (a row per video with images) into the dataset.

    `videos` holds, per video, its url, start_s, end_s and the settings that its images depend on.
    """
    rows = list(images)
    phashes: dict[tuple[str, str], str] = {}
    for table in filter_tables:
        candidates: list[FilterRow] = read_rows(table, ["video", "frame", "phash"])
        phashes |= {(row["video"], row["frame"]): row["phash"] for row in candidates}
    published = [manifest_row(row, phashes[row["video"], row["frame"]], sha256_of(out / row["file"])) for row in rows]
    write_table(out / MANIFEST_TABLE, published, PUBLISHED, json.dumps({"names": names}))
    splits = {row["video"]: row["split"] for row in rows}
    write_text(out / VIDEOS_TABLE, _videos_tsv(videos, splits, gathered))


def manifest_row(image: ImageRow, phash: str, sha256: str) -> PublishedRow:
    """Return an image's row of the manifest; `sha256` is that of its file."""
    return {
        "video": image["video"],
        "pts_s": image["pts_s"],
        "frame": image["frame"],
        "file": image["file"],
        "split": image["split"],
        "phash": phash,
        "sha256": sha256,
        "width": image["width"],
        "height": image["height"],
        "boxes_xyxy_px": image["boxes_xyxy_px"],
        "classes": image["classes"],
        "confidences": image["confidences"],
    }


def _videos_tsv(
    videos: Mapping[str, Mapping[str, Any]], splits: Mapping[str, str], gathered: Mapping[str, Gathered]
) -> str:
    """Return the table of the videos that have a split, which are those with images."""
    rows = []
    for video, row in videos.items():
        if video in splits:
            media = gathered[video]["record"]["media"]
            assert media, video  # it has images
            cells = {"video": video, "url": public_url(row["url"]), "split": splits[video]}
            cells |= {"sha256": media["sha256"], "start_s": row["start_s"] or "", "end_s": row["end_s"]}
            rows.append(cells | {key: row[key] for key in (*SETTINGS, HDR)})
    return tsv_text(COLUMNS, rows, quoted=False)


def read_published(path: Path, video: str = "") -> list[PublishedRow]:
    """Return the rows of a published manifest, of one video if it is named; raise UserError if it is none."""
    import pyarrow.compute as pc  # 0.1 s, which the export does not need

    with open_table(path) as file:
        missing = [name for name in PUBLISHED.names if name not in file.schema_arrow.names]
        if missing:
            raise UserError(f"{path} is no manifest of a dataset: it has no column {', '.join(missing)}")
        table = file.read(columns=PUBLISHED.names)
    rows: list[PublishedRow] = (table.filter(pc.equal(table["video"], video)) if video else table).to_pylist()
    for row in rows:
        if fault := _fault_of(row):
            raise UserError(f"{path}: {str(row['video'])[:100]!r}, {str(row['frame'])[:100]!r}: {fault}")
    return rows


def _fault_of(row: Mapping[str, Any]) -> str:
    """Return what is wrong with a row, or an empty text. Others wrote it, and its names become paths here."""
    forms = {"video": VIDEO_ID, "frame": FRAME, "file": FILE, "sha256": SHA256, "phash": PHASH}
    bad = [key for key, form in forms.items() if not form.fullmatch(str(row[key]))]
    if not bad and min(row["width"] or 0, row["height"] or 0) < 1:
        bad = ["size"]
    return f"{bad[0]} is not what reelsieve writes" if bad else ""


def class_names_of(path: Path) -> list[str]:
    """Return the classes of a published manifest in the order of their label numbers."""
    try:
        names = [str(name) for name in json.loads(read_note(path))["names"]]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is no manifest of a dataset: it does not name the classes") from None
    return names
