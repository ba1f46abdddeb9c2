"""Compute feature vectors of the frames of one video that passed the filter, for the search for copies."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from scripts.core.errors import UserError
from scripts.core.files import whole_file
from scripts.core.layout import HASHES_TABLE
from scripts.core.row_types import HashRow
from scripts.core.tables import read_rows
from scripts.dedup.vector_space import VECTOR_ROLES, in_steps
from scripts.job.environment import inference_threads
from scripts.job.start import start_job
from scripts.model.card import read_model_card
from scripts.model.engine import first_device, import_ultralytics
from scripts.model.load import load_model
from scripts.warm.devices import devices_for, use_alone

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# Four depths of the backbone, up to where crops change little. ultralytics takes the last layer before the head, which
# represents objects: there, a crop that cuts off an object is further from its original than another scene is.
LAYERS = (2, 4, 6, 8)
INPUT_PX = 320  # a square for any aspect ratio, so that smaller or squeezed copies give the same input


def embed_frames(filtered: Path, hashed: Path, model: Path, threads: int, work: Path, out: Path) -> None:
    """Write the unit vectors of each frame in hashes.parquet and of its mirror image (float16, n x 2 x d)."""
    rows: list[HashRow] = read_rows(hashed / HASHES_TABLE)
    vectors = np.empty((0, len(VECTOR_ROLES), 1), np.float16)
    if rows:  # otherwise no model is loaded
        with use_alone(devices_for(model)) as held, ThreadPoolExecutor(threads) as pool:
            embedder = Embedder(model, held, work)
            found = pool.map(lambda row: [embedder.embed(view) for view in views_of(filtered, row)], rows)
            vectors = in_steps(np.array(list(found)))
        for i, row in enumerate(rows):
            if row["roles"] == ["level"]:
                vectors[i] = flat_vector(int(row["hashes"][0], 16), vectors.shape[2])
    with whole_file(out) as part, part.open("wb") as file:
        np.save(file, vectors)
    logging.info("%d frames embedded", len(rows))


class Embedder:
    """A loaded detector of which only the first layers run."""

    def __init__(self, model: Path, held: str, work: Path) -> None:
        """Load the .pt weights in the folder of compile_model onto the device that this job holds.

        Raise UserError if they have no layers to take.
        """
        card = read_model_card(model)
        ultralytics = import_ultralytics(work, offline=True)
        import torch

        self._device = first_device(card, held)
        torch.set_num_threads(1)  # more threads sum in another order; call embed() from several threads instead
        yolo = load_model(ultralytics, model / card["file"])
        if not isinstance(yolo.model, torch.nn.Module):
            raise UserError(f"dedup.model: {card['weights']} has no layers to take vectors from; allowed: .pt weights")
        self._model = yolo.model.fuse(verbose=False).eval().to(self._device)
        if len(yolo.model.model) <= max(LAYERS) + 1:
            raise UserError(f"dedup.model: {card['weights']} has too few layers: choose another model")
        blank = torch.zeros((1, 3, INPUT_PX, INPUT_PX), device=self._device)
        with torch.inference_mode():
            sizes = [len(self._model.predict(blank, embed=[layer])[0]) for layer in LAYERS]
        self._ends = np.cumsum(sizes)[:-1]

    def embed(self, picture: Image.Image) -> np.ndarray:
        """Return the vector of a picture (RGB), in which all layers have equal weight. Threads may call it at once.

        Each picture is a batch of its own, because the size of a batch may change the last digits.
        """
        import torch

        small = picture.resize((INPUT_PX, INPUT_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(small, np.uint8)).to(self._device)
            found = self._model.predict(pixels.permute(2, 0, 1)[None].float() / 255, embed=list(LAYERS))
        parts = np.split(found[0].cpu().numpy().astype(np.float64), self._ends)
        return np.concatenate([part / max(float(np.linalg.norm(part)), 1e-12) for part in parts])


def views_of(filtered: Path, row: HashRow) -> tuple[Image.Image, Image.Image]:
    """Return a frame without its black bars, and the mirror image of that."""
    with JpegImageFile(filtered / row["frame"]) as image:
        picture = image.convert("RGB")
    left, right = round(row["left"] * picture.width), round(row["right"] * picture.width)
    top, bottom = round(row["top"] * picture.height), round(row["bottom"] * picture.height)
    content = picture.crop((left, top, right, bottom))
    return content, content.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def flat_vector(level: int, size: int) -> np.ndarray:
    """Return the vector of a flat frame: as for hashes, only its brightness decides it."""
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
