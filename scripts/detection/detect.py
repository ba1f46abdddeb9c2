"""Detect objects in image files. Every stage does it with this function."""

import logging
from collections.abc import Iterator
from pathlib import Path

from scripts.model.card import check_classes, check_most, read_model_card
from scripts.model.inference import Detections, Inference, RuntimeOptions

LOG_EVERY = 320  # images


def detect_images(model: Path, images: list[Path], query: Inference, runtime: RuntimeOptions) -> Iterator[Detections]:
    """Yield the detections of each image that can be read, in order; unreadable images are left out.

    The warm detector and this process run the same code and give the same numbers.
    """
    if not images:
        return  # no model is loaded for a video without frames
    card = read_model_card(model)
    check_classes(query.classes, card["names"], "classes", card["weights"])
    check_most(query.max_objects, card["most_objects"], "max_objects", card["weights"])
    for done, found in enumerate(_detect(model, images, query, runtime), 1):
        yield found
        if done % LOG_EVERY == 0:
            logging.info("%d of %d images", done, len(images))


def _detect(model: Path, images: list[Path], query: Inference, runtime: RuntimeOptions) -> Iterator[Detections]:
    if runtime.warm:
        from scripts.warm.client import detect_warm
        from scripts.warm.sockets import NoDetector

        try:
            yield from detect_warm(model, images, query, runtime)
            return
        except NoDetector as reason:
            logging.info("no warm detector, because %s: this job loads the model itself", reason)
    from scripts.model.engine import Engine, first_device

    yield from Engine(model, first_device(read_model_card(model)), runtime.threads, runtime.work).detect(images, query)
