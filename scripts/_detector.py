"""Infer over files of images: the one way in which every stage asks a model."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts._log import UserError, told_unknown

LOG_EVERY = 320  # images


@dataclass(frozen=True)
class Inference:
    """What to ask of a model: the least confidence, IoU of suppression, input size, and class names (empty: all)."""

    confidence: float
    iou: float
    imgsz_px: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a model runs: its threads on a CPU, the folder of ultralytics' settings, and in which process."""

    threads: int
    work: Path
    warm: bool


@dataclass(frozen=True)
class Detections:
    """The objects in one image, strongest first; `boxes_xyxy_px` in pixels of the image."""

    image: Path
    boxes_xyxy_px: list[list[float]]
    classes: list[str]
    confidences: list[float]


def check_classes(wanted: Iterable[str], names: Iterable[str], key: str, model: str) -> None:
    """Raise UserError if the configuration names a class that the model does not know."""
    known = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(f"{key}: {model} has no class {told_unknown(unknown, known)}; allowed: {', '.join(known)}")


def check_roles(chosen: Mapping[str, tuple[Mapping[str, Any], Path]]) -> None:
    """Raise UserError with all that is wrong with the models of some roles, each with its compiled folder."""
    problems = []
    for role, (model, compiled) in chosen.items():
        try:
            check_role(role, model, compiled)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def check_role(role: str, chosen: Mapping[str, Any], compiled: Path) -> None:
    """Raise UserError for what is wrong with a role's model as far as can be told without loading it.

    An export names its classes; of other weights the compiled model tells, unless they are newer.
    """
    weights = Path(chosen["model"])
    card = compiled / "model.json"
    if (weights / "metadata.yaml").is_file():
        import yaml

        names = yaml.safe_load((weights / "metadata.yaml").read_text(encoding="utf-8"))["names"]
        check_classes(chosen["classes"], names.values(), f"{role}.classes", str(weights))
    elif card.is_file() and not (weights.exists() and weights.stat().st_mtime > card.stat().st_mtime):
        known = read_model_card(compiled)
        check_classes(chosen["classes"], known["names"], f"{role}.classes", str(weights))
        if chosen["weights_sha256"] not in ("", known["weights_sha256"]):
            raise UserError(f"{role}.weights_sha256: {weights} has {known['weights_sha256']}")


def runs_on_cpu(card: Mapping[str, Any]) -> bool:
    """Tell whether a model needs no GPU of this machine, whatever it has: OpenVINO's, and those on a server."""
    return str(card["file"]).endswith("_openvino_model") or "://" in card["file"]


def read_model_card(model: Path) -> dict[str, Any]:
    """Return what compile_model wrote of a model: file, format, names, sha256 of its weights."""
    card: dict[str, Any] = json.loads((model / "model.json").read_text(encoding="utf-8"))
    return card


def detect_images(model: Path, images: list[Path], ask: Inference, place: Place) -> Iterator[Detections]:
    """Yield the detections of each image that can be read, in order; unreadable images are left out.

    The run's warm process and this one run the same code and give the same numbers.
    """
    if not images:
        return  # no model is loaded for a video without frames
    card = read_model_card(model)
    check_classes(ask.classes, card["names"], "classes", card["weights"])
    for done, found in enumerate(_answers(model, images, ask, place), 1):
        yield found
        if done % LOG_EVERY == 0:
            logging.info("%d of %d images", done, len(images))


def _answers(model: Path, images: list[Path], ask: Inference, place: Place) -> Iterator[Detections]:
    if place.warm:
        from scripts._sockets import NoPlace
        from scripts._warm import detect_warm

        try:
            yield from detect_warm(model, images, ask, place)
            return
        except NoPlace as reason:
            logging.info("no warm detector, since %s: this job loads the model itself", reason)
    from scripts._engine import Engine, first_device

    yield from Engine(model, first_device(read_model_card(model)), place.threads, place.work).detect(images, ask)
