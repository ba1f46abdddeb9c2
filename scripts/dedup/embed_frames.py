"""Take feature vectors of the frames of one video that passed the filter, for the search for copies."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from scripts.core.files import whole_file
from scripts.core.layout import HASHES_TABLE
from scripts.core.tables import read_rows
from scripts.dedup.embedder import Embedder
from scripts.dedup.vector_space import VECTOR_ROLES, in_steps
from scripts.job.environment import inference_threads
from scripts.job.start import start_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def embed_frames(filtered: Path, hashed: Path, model: Path, threads: int, work: Path, out: Path) -> None:
    """Write the unit vectors of each frame in hashes.parquet and of its mirror image (float16, n x 2 x d)."""
    rows = read_rows(hashed / HASHES_TABLE)
    vectors = np.empty((0, len(VECTOR_ROLES), 1), np.float16)
    if rows:  # else no model is loaded
        embedder = Embedder(model, work)
        with ThreadPoolExecutor(threads) as pool:
            found = pool.map(lambda row: [embedder.embed(view) for view in views_of(filtered, row)], rows)
            vectors = in_steps(np.array(list(found)))
        for i, row in enumerate(rows):
            if row["roles"] == ["level"]:
                vectors[i] = flat_vector(int(row["hashes"][0], 16), vectors.shape[2])
    with whole_file(out) as part, part.open("wb") as file:
        np.save(file, vectors)
    logging.info("%d frames embedded", len(rows))


def views_of(filtered: Path, row: Mapping[str, Any]) -> tuple[Image.Image, Image.Image]:
    """Return what lies between a frame's bars, and its mirror image."""
    with JpegImageFile(filtered / row["frame"]) as image:
        picture = image.convert("RGB")
    (left, right), (top, bottom) = (
        (round(row[low] * side), round(row[high] * side))
        for low, high, side in (("left", "right", picture.width), ("top", "bottom", picture.height))
    )
    content = picture.crop((left, top, right, bottom))
    return content, content.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def flat_vector(level: int, size: int) -> np.ndarray:
    """Return the vector of a flat picture, which is known by its brightness alone, as with hashes."""
    return in_steps(np.random.default_rng(level).standard_normal(size))


if __name__ == "__main__":
    start_job(snakemake.log[0])
    embed_frames(
        filtered=Path(snakemake.input.filtered),
        hashed=Path(snakemake.input.hashes),
        model=Path(snakemake.input.model),
        threads=inference_threads(),
        work=Path(snakemake.params.work),
        out=Path(snakemake.output.vectors),
    )
