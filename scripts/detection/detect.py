"""Detect objects in image files. Every stage does it with this function."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.detection.memory import Memory, digest_of_image, seen_again
from scripts.model.card import check_classes, check_most, read_model_card
from scripts.model.inference import Detections, Floor, Inference, RuntimeOptions, Seen
from scripts.model.thresholds import floor_for, judge

if TYPE_CHECKING:
    from scripts.core.row_types import SeenRow

LOG_EVERY = 320  # images
READERS = 2


def detect_images(
    model: Path, images: list[Path], query: Inference, runtime: RuntimeOptions, memories: Sequence[Memory] = ()
) -> Iterator[Detections]:
    """Yield the detections of each image that can be read, in order; unreadable images are left out.

    What one of the memories knows is not inferred. The first one remembers what is. The warm detector and this process
    run the same code and give the same numbers.
    """
    if not images:
        return  # no model is loaded for a video without frames
    card = read_model_card(model)
    check_classes(query.classes, card["names"], "classes", card["weights"])
    check_most(query.max_objects, card["most_objects"], "max_objects", card["weights"])
    memory = memories[0] if memories else Memory(Path(), "", floor_for(query))
    with ThreadPoolExecutor(READERS) as reading:
        digests = {image: reading.submit(digest_of_image, image) for image in images}
        known = {image: row for image in images if (row := _recall(memories, image, digests[image]))}
        unknown = [image for image in images if image not in known]
        logging.info("%d of %d images to infer", len(unknown), len(images))
        arriving = _see(model, unknown, memory.floor, runtime)
        waiting: Seen | None = None
        for image in images:
            if image in known:
                seen = seen_again(image, known[image])
            else:
                waiting = waiting or next(arriving, None)
                seen, waiting = (waiting, None) if waiting and waiting.image == image else (None, waiting)
                memory.add(image, digests[image].result(), seen)
            if seen:
                yield judge(seen, card["names"], query)
        next(arriving, None)  # the detector ends its answer after the last image


def _recall(memories: Sequence[Memory], image: Path, digest: "Future[str]") -> "SeenRow | None":
    """Return what a memory knows of an image. Its content is only waited for if one knows its name."""
    rows = [memory.rows[image.name] for memory in memories if image.name in memory.rows]
    return next((row for row in rows if row["sha256"] == digest.result()), None)


def _see(model: Path, images: list[Path], floor: Floor, runtime: RuntimeOptions) -> Iterator[Seen]:
    if not images:
        return
    for done, seen in enumerate(_infer(model, images, floor, runtime), 1):
        yield seen
        if done % LOG_EVERY == 0:
            logging.info("%d of %d images", done, len(images))


def _infer(model: Path, images: list[Path], floor: Floor, runtime: RuntimeOptions) -> Iterator[Seen]:
    if runtime.warm:
        from scripts.warm.client import see_warm
        from scripts.warm.sockets import NoDetector

        try:
            yield from see_warm(model, images, floor, runtime)
            return
        except NoDetector as reason:
            logging.info("no warm detector, because %s: this job loads the model itself", reason)
    from scripts.model.engine import Engine, first_device
    from scripts.warm.devices import devices_for, use_alone

    with use_alone(devices_for(model)) as held:
        device = first_device(read_model_card(model), held)
        yield from Engine(model, device, runtime.threads, runtime.work).see(images, floor)
