"""Turn pictures into feature vectors of a detector; with _engine and compile_model, all that imports torch."""

from pathlib import Path

import numpy as np
from PIL import Image

from scripts.core.errors import UserError
from scripts.model.card import read_model_card
from scripts.model.engine import import_ultralytics

# Four depths of the backbone, up to where crops still change little. The last layer before the head, ultralytics' own
# choice, knows what objects there are: a crop that cuts one off moves it further than another scene does.
LAYERS = (2, 4, 6, 8)
INPUT_PX = 320  # a square, whatever the picture's sides: of a smaller copy, or one squeezed, the model sees the same


class Embedder:
    """A loaded detector, of which only the first layers run."""

    def __init__(self, model: Path, work: Path) -> None:
        """Load the .pt weights that compile_model checked and left in a folder."""
        card = read_model_card(model)
        ultralytics = import_ultralytics(work, offline=True)
        import torch

        self._device = "cuda:0" if torch.cuda.is_available() else "cpu"
        torch.set_num_threads(1)  # more threads sum in another order; ask from several threads instead
        yolo = ultralytics.YOLO(str(model / card["file"]), task="detect")
        if not isinstance(yolo.model, torch.nn.Module):
            raise UserError(f"dedup.model: {card['weights']} has no layers to take vectors from; allowed: .pt weights")
        self._model = yolo.model.fuse(verbose=False).eval().to(self._device)
        if len(yolo.model.model) <= max(LAYERS) + 1:
            raise UserError(f"dedup.model: {card['weights']} has too few layers: take another model")
        blank = torch.zeros((1, 3, INPUT_PX, INPUT_PX), device=self._device)
        with torch.inference_mode():
            sizes = [len(self._model.predict(blank, embed=[layer])[0]) for layer in LAYERS]
        self._ends = np.cumsum(sizes)[:-1]

    def embed(self, picture: Image.Image) -> np.ndarray:
        """Return the vector of a picture (RGB), to which all layers give as much; any number of threads may ask.

        Each picture goes by itself, since a batch's size may change the last digits.
        """
        import torch

        small = picture.resize((INPUT_PX, INPUT_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(small, np.uint8)).to(self._device)
            found = self._model.predict(pixels.permute(2, 0, 1)[None].float() / 255, embed=list(LAYERS))
        parts = np.split(found[0].cpu().numpy().astype(np.float64), self._ends)
        return np.concatenate([part / max(float(np.linalg.norm(part)), 1e-12) for part in parts])
