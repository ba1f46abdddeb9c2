"""Load a model and infer over files of images; with compile_model and _embedder, all that imports torch."""

import logging
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from scripts.core.errors import UserError
from scripts.model.card import read_model_card, runs_on_cpu
from scripts.model.decode import DecodedImage, decode
from scripts.model.inference import Detections, Inference
from scripts.model.openvino_streams import compile_streams, stream_predictor

MOST_STREAMS = 16  # each holds a picture's activations, half a gigabyte with the largest models
DECODERS = 2
BLANK_PX = 64
SETTINGS: dict[str, Any] = {"mode": "predict", "task": "detect", "rect": True, "verbose": False, "save": False}


def import_ultralytics(work: Path, offline: bool) -> Any:
    """Import ultralytics so that it neither phones home, installs packages nor writes outside `work`."""
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(work.absolute()), "YOLO_VERBOSE": "false"}
    os.environ["YOLO_OFFLINE"] = "true" if offline else "false"
    work.mkdir(parents=True, exist_ok=True)
    import ultralytics

    ultralytics.settings.update({"sync": False})
    return ultralytics


def first_device(card: dict[str, Any]) -> str:
    """Return the device on which a job infers by itself."""
    import torch

    return "cpu" if runs_on_cpu(card) or not torch.cuda.is_available() else "cuda:0"


class Engine:
    """A loaded model on a device: `cpu` or `cuda:0` and so on."""

    def __init__(self, model: Path, device: str, threads: int, work: Path) -> None:
        """Load the model that compile_model left in a folder."""
        card = read_model_card(model)
        ultralytics = import_ultralytics(work, offline=True)
        import numpy as np
        import torch

        self._names: list[str] = card["names"]
        self._fixed_batch: int | None = card["batch"]
        self._most: int = card["most"]
        self._fixed_px: int | None = card["imgsz_px"]
        self._device = device
        file = card["file"] if "://" in card["file"] else str(model / card["file"])
        yolo = ultralytics.YOLO(file, task="detect")
        self._predictor = yolo.task_map["detect"]["predictor"]
        self._loaded = self._predictor(overrides=SETTINGS | {"device": device})
        self._loaded.setup_model(yolo.model, verbose=False)
        self._streams = 0
        # A read_model is for CPUs on which OpenVINO's dynamic INT8 crashes; larger fixed batches ultralytics fills up.
        one = self._loaded.model.format == "openvino" and self._fixed_batch in (None, 1)
        if one and device == "cpu" and not self._loaded.model.backend.read_model:
            self._streams = min(threads, MOST_STREAMS)
            self._predictor = stream_predictor(self._predictor, compile_streams(model / card["file"], self._streams))
        torch.set_num_threads(1 if self._streams else threads)
        # Libraries set themselves up at the first picture, and OpenVINO's binding hangs if two threads bring it one.
        first = self._new_predictor(Inference(0.25, 0.7, self._fixed_px or BLANK_PX, ()))
        self._predict(first, [np.zeros((BLANK_PX, BLANK_PX, 3), np.uint8)])

    def detect(self, images: list[Path], query: Inference) -> Iterator[Detections]:
        """Yield the detections of each image that can be read, in order; unreadable images are left out.

        Numbers are rounded (boxes to 0.01 px, confidences to 0.0001), because the last digits of a float may depend on
        how many threads summed it.
        """
        size = self._fixed_batch or (1 if self._streams else self._most)
        workers, input_px = max(self._streams, 1), self._fixed_px or query.imgsz_px
        idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(workers):
            idle.put(self._new_predictor(query))
        coming: deque[Future[list[Detections]]] = deque()
        with ThreadPoolExecutor(DECODERS) as decoding, ThreadPoolExecutor(workers) as inferring:
            try:
                for first in range(0, len(images), size):
                    batch = images[first : first + size]
                    pictures = [decoding.submit(decode, image, input_px) for image in batch]
                    coming.append(inferring.submit(self._infer, idle, batch, pictures))
                    if len(coming) > 2 * workers:  # enough to decode ahead, and no more pictures in memory
                        yield from coming.popleft().result()
                while coming:
                    yield from coming.popleft().result()
            finally:
                for future in coming:
                    future.cancel()

    def _new_predictor(self, query: Inference) -> Any:
        """Return a predictor for one thread; all share the loaded model."""
        predictor = self._predictor(
            overrides=SETTINGS
            | {
                "device": self._device,
                "conf": query.confidence,
                "iou": query.iou,
                "imgsz": query.imgsz_px,
                "classes": [self._names.index(name) for name in query.classes] or None,
            }
        )
        predictor.model, predictor.device = self._loaded.model, self._loaded.device
        return predictor

    def _infer(self, idle: Any, images: list[Path], coming: list[Future[DecodedImage | None]]) -> list[Detections]:
        """Return the detections of a batch, asking a predictor that no other thread is using."""
        decoded = [(image, future.result()) for image, future in zip(images, coming, strict=True)]
        readable = [(image, picture) for image, picture in decoded if picture]
        predictor = idle.get()
        try:
            results = self._predict(predictor, [picture.pixels for _, picture in readable])
        finally:
            idle.put(predictor)
        return [
            _detections(image, result, picture.reduced_by, self._names)
            for (image, picture), result in zip(readable, results, strict=True)
        ]

    def _predict(self, predictor: Any, arrays: list[Any]) -> list[Any]:
        """Infer over one batch, halved until it fits into memory."""
        if not arrays:
            return []
        try:
            return list(predictor(arrays))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(arrays) == 1 or self._fixed_batch:
                raise UserError(
                    f"{self._device} has too little memory for {len(arrays)} image(s) of this model: take a smaller"
                    f" model or imgsz_px, or end what else uses it ({str(error).splitlines()[0]})"
                ) from error
        half = len(arrays) // 2
        logging.warning("out of memory: %d images at a time instead of %d", half, len(arrays))
        return [*self._predict(predictor, arrays[:half]), *self._predict(predictor, arrays[half:])]


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an inference library ran out of memory; each has words of its own."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        words in text for words in ("out of memory", "can't allocate memory", "bad_alloc", "could not create a memory")
    )


def _detections(image: Path, result: Any, reduced_by: tuple[float, float], names: list[str]) -> Detections:
    boxes = result.boxes.cpu().numpy()
    across, down = reduced_by
    return Detections(
        image=image,
        boxes_xyxy_px=[
            [round(float(v) * scale, 2) for v, scale in zip(box, (across, down, across, down), strict=True)]
            for box in boxes.xyxy
        ],
        classes=[names[int(c)] for c in boxes.cls],
        confidences=[round(float(c), 4) for c in boxes.conf],
    )
