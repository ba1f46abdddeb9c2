"""What is published of a dataset in place of its pictures: their times, hashes and labels, and where the videos are."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from scripts.core.errors import UserError
from scripts.core.files import read_json, sha256_of, write_text
from scripts.core.layout import FILTER_TABLE, MANIFEST_TABLE, VIDEOS_TABLE
from scripts.core.schemas import PUBLISHED
from scripts.core.tables import read_note, read_rows, write_table
from scripts.core.tsv import tsv_text
from scripts.inputs.published import COLUMNS, SETTINGS
from scripts.inputs.redact import public_url
from scripts.inputs.videos import SPLITS, VIDEO_ID

Row = dict[str, Any]
Folders = Mapping[str, Mapping[str, Path]]
FRAME = re.compile(r"\d{9}\.jpg")
FILE = re.compile(rf"images/({'|'.join(SPLITS)})/[A-Za-z0-9][A-Za-z0-9._-]*\.jpg")
SHA256 = re.compile(r"[0-9a-f]{64}")
PHASH = re.compile(r"[0-9a-f]{16}")


def publish(
    out: Path,
    exported: Iterable[Row],
    videos: Mapping[str, Row],
    folders: Mapping[str, Mapping[str, Path]],
    names: list[str],
) -> None:
    """Write manifest.parquet (a row per image) and videos.tsv (a row per video that has one) into the dataset.

    `videos` holds per video its url, start_s, end_s and the settings that its pictures depend on.
    """
    rows = list(exported)
    phashes = {
        (video, row["frame"]): row["phash"]
        for video in sorted({row["video"] for row in rows})
        for row in read_rows(folders[video]["filtered"] / FILTER_TABLE)
    }
    published = [
        {**row, "phash": phashes[row["video"], row["frame"]], "sha256": sha256_of(out / row["file"])} for row in rows
    ]
    listed = [{name: row[name] for name in PUBLISHED.names} for row in published]
    write_table(out / MANIFEST_TABLE, listed, PUBLISHED, json.dumps({"names": names}))
    splits = {row["video"]: row["split"] for row in rows}
    used = {video: row | {"split": splits[video]} for video, row in videos.items() if video in splits}
    write_text(out / VIDEOS_TABLE, _videos_tsv(used, folders))


def _videos_tsv(videos: Mapping[str, Row], folders: Folders) -> str:
    rows = []
    for video, row in videos.items():
        media = read_json(folders[video]["record"])["media"]
        cells = {"video": video, "url": public_url(row["url"]), "split": row["split"], "sha256": media["sha256"]}
        cells |= {"start_s": row["start_s"] or "", "end_s": row["end_s"]}
        rows.append(cells | {key: row[key] for key in SETTINGS})
    return tsv_text(COLUMNS, rows, quoted=False)


def read_published(path: Path, video: str = "") -> list[Row]:
    """Return the rows of a published manifest, of one video if it is named; raise UserError if it is none."""
    with pq.ParquetFile(path) as file:
        missing = [name for name in PUBLISHED.names if name not in file.schema_arrow.names]
        if missing:
            raise UserError(f"{path} is no manifest of a dataset: it has no column {', '.join(missing)}")
        table = file.read(columns=PUBLISHED.names)
    rows: list[Row] = (table.filter(pc.equal(table["video"], video)) if video else table).to_pylist()
    for row in rows:
        if fault := _fault_of(row):
            raise UserError(f"{path}: {str(row['video'])[:100]!r}, {str(row['frame'])[:100]!r}: {fault}")
    return rows


def _fault_of(row: Row) -> str:
    """Say what is wrong with a row that others wrote: its names become paths here."""
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
