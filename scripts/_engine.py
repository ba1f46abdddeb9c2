"""Load a model and infer over files of images; the only place, with compile_model, that imports torch."""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts._detector import Detections, Inference, read_model_card
from scripts._log import UserError

BATCH = 16


def import_ultralytics(work: Path, offline: bool) -> Any:
    """Import ultralytics so that it neither phones home, installs packages nor writes outside `work`."""
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(work.absolute()), "YOLO_VERBOSE": "false"}
    os.environ["YOLO_OFFLINE"] = "true" if offline else "false"
    work.mkdir(parents=True, exist_ok=True)
    import ultralytics

    ultralytics.settings.update({"sync": False})
    return ultralytics


def first_device() -> str:
    """Return the device of a job that infers by itself."""
    import torch

    return "cuda:0" if torch.cuda.is_available() else "cpu"


class Engine:
    """A loaded model on a device: `cpu` or `cuda:0` and so on."""

    def __init__(self, model: Path, device: str, threads: int, work: Path) -> None:
        """Load the model that compile_model left in a folder."""
        card = read_model_card(model)
        ultralytics = import_ultralytics(work, offline=True)
        import torch

        torch.set_num_threads(threads)
        self._names: list[str] = card["names"]
        self._batch = card["batch"]
        self._largest = self._batch or BATCH
        self._device = device
        self._yolo = ultralytics.YOLO(str(model / card["file"]), task="detect")

    def detect(self, images: list[Path], ask: Inference) -> Iterator[Detections]:
        """Yield the detections of each image that can be read, in order; unreadable images are left out.

        Numbers are rounded (boxes to 0.01 px, confidences to 0.0001), because the last digits of a float depend on how
        many threads summed it.
        """
        settings = {
            "conf": ask.confidence,
            "iou": ask.iou,
            "imgsz": ask.imgsz_px,
            "classes": [self._names.index(name) for name in ask.classes] or None,
            "device": self._device,
            "verbose": False,
            "save": False,
        }
        for paths, arrays in _decode_ahead(images, self._largest):
            readable = [(path, array) for path, array in zip(paths, arrays, strict=True) if array is not None]
            results = self._predict([array for _, array in readable], settings)
            for (path, _), result in zip(readable, results, strict=True):
                yield _detections(path, result, self._names)

    def _predict(self, arrays: list[Any], settings: dict[str, Any]) -> list[Any]:
        """Infer over one batch, halved until it fits into memory."""
        if not arrays:
            return []
        try:
            return list(self._yolo.predict(arrays, **settings))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(arrays) == 1 or self._batch:
                raise UserError(
                    f"{self._device} has too little memory for {len(arrays)} image(s) of this model: take a smaller"
                    f" model or imgsz_px, or end what else uses it ({str(error).splitlines()[0]})"
                ) from error
        half = len(arrays) // 2
        logging.warning("out of memory: %d images at a time instead of %d", half, len(arrays))
        return [*self._predict(arrays[:half], settings), *self._predict(arrays[half:], settings)]


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an inference library ran out of memory; each has words of its own."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def _decode_ahead(images: list[Path], batch: int) -> Iterator[tuple[list[Path], list[Any]]]:
    """Yield batches of paths and BGR pictures (None: unreadable), decoding the next batch meanwhile."""
    import cv2

    if not images:
        return
    batches = [images[i : i + batch] for i in range(0, len(images), batch)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        coming = [pool.submit(cv2.imread, str(path)) for path in batches[0]]
        for paths, following in zip(batches, [*batches[1:], []], strict=True):
            current, coming = coming, [pool.submit(cv2.imread, str(path)) for path in following]
            yield paths, [picture.result() for picture in current]


def _detections(image: Path, result: Any, names: list[str]) -> Detections:
    boxes = result.boxes.cpu().numpy()
    return Detections(
        image=image,
        boxes_xyxy_px=[[round(float(v), 2) for v in box] for box in boxes.xyxy],
        classes=[names[int(c)] for c in boxes.cls],
        confidences=[round(float(c), 4) for c in boxes.conf],
    )
