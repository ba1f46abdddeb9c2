"""Hash the frames of one video that passed the filter, for the search for copies."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scripts.core.files import whole_file
from scripts.core.layout import FILTER_TABLE, HASHES_TABLE, THUMBNAILS
from scripts.core.row_types import FilterRow, HashRow
from scripts.core.schemas import HASHES
from scripts.core.tables import read_rows, write_table
from scripts.dedup.hashing import THUMB_PX, Hashed, hash_picture
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def hash_frames(filtered: Path, method: str, out: Path) -> None:
    """Write hashes.parquet (a row per passed frame) and thumbs.npy (YCbCr, n x 64 x 64 x 3, same order)."""
    out.mkdir(parents=True, exist_ok=True)
    candidates: list[FilterRow] = read_rows(filtered / FILTER_TABLE)
    names = [row["frame"] for row in candidates if row["passed"]]
    with ThreadPoolExecutor(2) as pool:
        hashed = list(pool.map(lambda name: hash_picture((filtered / name).read_bytes(), method), names))
    rows = [row_of(name, found) for name, found in zip(names, hashed, strict=True)]
    thumbs = np.array([found.thumb for found in hashed], np.uint8).reshape(-1, THUMB_PX, THUMB_PX, 3)
    with whole_file(out / THUMBNAILS) as part, part.open("wb") as file:
        np.save(file, thumbs)
    write_table(out / HASHES_TABLE, rows, HASHES)
    logging.info("%d frames hashed", len(rows))


def row_of(frame: str, found: Hashed) -> HashRow:
    """Return a frame's row of hashes.parquet."""
    left, top, right, bottom = (round(edge, 6) for edge in found.content)
    return {
        "frame": frame,
        "roles": [role for role, _ in found.hashes],
        "hashes": [f"{value:016x}" for _, value in found.hashes],
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
    }


if __name__ == "__main__":
    start_job(snakemake.log[0])
    hash_frames(
        filtered=Path(snakemake.input.filtered),
        method=snakemake.params.method,
        out=Path(snakemake.output.hashes),
    )
