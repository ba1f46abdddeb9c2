"""Load a model and see objects in image files. Libraries load inside functions, so that other jobs start fast."""

import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import Any

from scripts.core.errors import UserError
from scripts.model.boxes import box_predictor, seen_in
from scripts.model.card import ModelCard, read_model_card, runs_on_cpu
from scripts.model.decode import DecodedImage, decode
from scripts.model.inference import Floor, Seen
from scripts.model.load import load_model
from scripts.model.openvino_streams import compile_streams, stream_predictor

MOST_STREAMS = 16  # each holds an image's activations, half a gigabyte with the largest models
BLANK_PX = 64
MOST_BOXES = 30_000  # as many as ultralytics suppresses; what is kept is counted per class
SETTINGS: dict[str, Any] = {"mode": "predict", "rect": True, "verbose": False, "save": False}


def import_ultralytics(work: Path, offline: bool) -> Any:
    """Import ultralytics without telemetry, package installs, or files outside of `work`."""
    folders = dict.fromkeys(("YOLO_CONFIG_DIR", "MPLCONFIGDIR"), str(work.absolute()))
    os.environ |= folders | {"YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false", "YOLO_OFFLINE": "true"}
    keep_out_telemetry()
    work.mkdir(parents=True, exist_ok=True)
    import ultralytics

    # Its import would look up two names to see whether there is a network. It retries a download only if it may do so.
    os.environ["YOLO_OFFLINE"] = "true" if offline else "false"
    ultralytics.settings.update({"sync": False})
    return ultralytics


def keep_out_telemetry() -> None:
    """Make sure that OpenVINO, imported after this, sends nothing: it works without its package for telemetry."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


def import_torchvision() -> None:
    """Import torchvision, whose NMS ultralytics then uses, without torch._dynamo: half of the time of both imports.

    torchvision needs one function of torch._dynamo, for an operator (roi_align) that no detector uses. Code that
    imports torch._dynamo later gets the real one. Without torchvision, equal confidences swap, see docs/decisions.md.
    """
    import torch  # noqa: F401 - it must be whole before its part has a stand-in

    parts = ("torch._dynamo", "torch._dynamo.utils")
    if "torchvision" not in sys.modules and parts[0] not in sys.modules:
        utils = ModuleType(parts[1])
        utils.is_compile_supported = lambda device_type: False  # type: ignore[attr-defined]
        sys.modules |= dict(zip(parts, (ModuleType(parts[0]), utils), strict=True))
        try:
            import torchvision  # type: ignore[import-untyped]
        except ImportError:
            logging.info("torchvision needs more of torch._dynamo than one function: imported whole")
        finally:
            for part in parts:
                del sys.modules[part]
    import torchvision  # noqa: F401


def decoders_for(threads: int) -> int:
    """Return how many threads decode images. One decodes about 200 frames of 720p a second."""
    return max(2, threads // 4)


def first_device(card: ModelCard, held: str) -> str:
    """Return the device of a job that loads the model itself: the one that it holds, if PyTorch can use it."""
    import torch

    if runs_on_cpu(card) or not torch.cuda.is_available():
        return "cpu"
    return held if held != "cpu" else "cuda:0"  # some systems do not list the GPUs that PyTorch sees


@dataclass
class Prepared:
    """What a request needs before its first image is inferred: predictors of its own, and images that are decoded."""

    idle: "SimpleQueue[Any]"
    decoded: dict[Path, "Future[DecodedImage | None]"]


class Engine:
    """A loaded model on a device: `cpu` or `cuda:0` and so on."""

    def __init__(self, model: Path, device: str, threads: int, work: Path) -> None:
        """Load the model that compile_model left in a folder."""
        card = read_model_card(model)
        ultralytics = import_ultralytics(work, offline=True)
        import_torchvision()
        import numpy as np
        import torch

        self._fixed_batch = card["batch"]
        self._fixed_px = card["imgsz_px"]
        served, task = "://" in card["file"], card["task"]
        self._settings = SETTINGS | {"device": device, "task": task}
        self._device = device
        yolo = ultralytics.YOLO(card["file"], task) if served else load_model(ultralytics, model / card["file"], task)
        rotated = task == "obb"  # the predictor of boxes serves all other tasks
        self._predictor = box_predictor(yolo.task_map["obb" if rotated else "detect"]["predictor"])
        self._loaded = self._predictor(overrides=self._settings)
        self._loaded.setup_model(yolo.model, verbose=False)
        self._streams = 0
        # No streams with a read_model, which is for CPUs where OpenVINO's dynamic INT8 crashes, or with larger fixed
        # batches, which ultralytics pads.
        takes_one = self._loaded.model.format == "openvino" and self._fixed_batch in (None, 1)
        if takes_one and device == "cpu" and not self._loaded.model.backend.read_model:
            self._streams = min(threads, MOST_STREAMS)
            self._predictor = stream_predictor(self._predictor, compile_streams(model / card["file"], self._streams))
        torch.set_num_threads(1 if self._streams else threads)
        self._batch = self._fixed_batch or (1 if self._streams else card["most"])
        self._workers = max(self._streams, 1)
        self._ahead = 2 * self._workers  # batches, enough to decode ahead; more would only fill the memory
        self._decoding, self._inferring = ThreadPoolExecutor(decoders_for(threads)), ThreadPoolExecutor(self._workers)
        # Libraries initialise at the first image, and OpenVINO's binding hangs if two threads call it then.
        first = self._new_predictor(Floor(0.25, 0.7, self._fixed_px or BLANK_PX, 1))
        predict_batch(first, [np.zeros((BLANK_PX, BLANK_PX, 3), np.uint8)], device, self._fixed_batch)

    def prepare(self, images: list[Path], floor: Floor) -> Prepared:
        """Begin to decode the first images for see(), while another request may be inferred."""
        idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self._workers):
            idle.put(self._new_predictor(floor))
        first = images[: (self._ahead + 1) * self._batch]
        return Prepared(idle, {image: self._decode(image, floor) for image in first})

    def see(
        self,
        images: list[Path],
        floor: Floor,
        prepared: Prepared | None = None,
        on_submitted: Callable[[], None] = lambda: None,
    ) -> Iterator[Seen]:
        """Yield what the model sees in each image that can be read, in order; unreadable images are left out.

        `on_submitted` is called when no image is left to submit, before the last ones are inferred: then the device
        never waits if the next request, in another thread, follows at once.
        """
        ready = prepared or self.prepare(images, floor)
        pending: deque[Future[list[Seen]]] = deque()
        try:
            for first in range(0, len(images), self._batch):
                batch = images[first : first + self._batch]
                decoded = [
                    ready.decoded.pop(image) if image in ready.decoded else self._decode(image, floor)
                    for image in batch
                ]
                pending.append(self._inferring.submit(self._infer, ready.idle, batch, decoded, floor))
                if len(pending) > self._ahead:
                    yield from pending.popleft().result()
            on_submitted()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _decode(self, image: Path, floor: Floor) -> "Future[DecodedImage | None]":
        return self._decoding.submit(decode, image, self._fixed_px or floor.imgsz_px)

    def _new_predictor(self, floor: Floor) -> Any:
        """Return a predictor for one thread; all share the loaded model."""
        predictor = self._predictor(
            overrides=self._settings
            | {
                "conf": floor.confidence,
                "iou": floor.iou,
                "imgsz": floor.imgsz_px,
                "max_det": MOST_BOXES,
            }
        )
        predictor.model, predictor.device = self._loaded.model, self._loaded.device
        return predictor

    def _infer(
        self, idle: Any, images: list[Path], decoding: list[Future[DecodedImage | None]], floor: Floor
    ) -> list[Seen]:
        """Return what is seen in a batch, by a predictor that no other thread is using."""
        decoded = [(image, future.result()) for image, future in zip(images, decoding, strict=True)]
        readable = [(image, one) for image, one in decoded if one]
        predictor = idle.get()
        try:
            results = predict_batch(predictor, [one.pixels for _, one in readable], self._device, self._fixed_batch)
        finally:
            idle.put(predictor)
        return [
            seen_in(image, result, one, floor.most_per_class)
            for (image, one), result in zip(readable, results, strict=True)
        ]


def predict_batch(predictor: Any, arrays: list[Any], device: str, fixed_batch: int | None) -> list[Any]:
    """Return a predictor's results for a batch, which is halved until it fits into memory.

    Raise UserError if one image does not fit, or a batch that the model fixes.
    """
    if not arrays:
        return []
    try:
        return list(predictor(arrays))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(arrays) == 1 or fixed_batch:
            raise UserError(
                f"{device} has too little memory for {len(arrays)} image(s) of this model: use a smaller model or"
                f" imgsz_px, or end other programs that use it ({str(error).splitlines()[0]})"
            ) from error
    half = len(arrays) // 2
    logging.warning("out of memory: %d images at a time instead of %d", half, len(arrays))
    halves = arrays[:half], arrays[half:]
    return [result for part in halves for result in predict_batch(predictor, part, device, fixed_batch)]


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an inference library ran out of memory; each words it differently."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        words in text for words in ("out of memory", "can't allocate memory", "bad_alloc", "could not create a memory")
    )
