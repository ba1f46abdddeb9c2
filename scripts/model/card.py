"""Describe a compiled model in its card, model.json, and check that a configuration fits it."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import MODEL_CARD
from scripts.job.suggestions import describe_unknown

BATCH = 16  # images at a time, where a model takes any number
TASKS = ("detect", "segment", "pose", "obb")  # whose results have boxes
USUAL_MOST = 300  # objects in an image: the default of max_objects


class Shape(NamedTuple):
    """The input that a model's graph takes: images in a batch, height, width; and rows of its output. None: any."""

    batch: int | None
    height: int | None
    width: int | None
    rows: int | None = None  # one per object, if the model suppresses overlaps itself


class ModelFile(TypedDict):
    """The file of a compiled model, or its URL on a server, and its task, classes and input. None: any."""

    file: str
    task: str
    names: list[str]
    most: int  # images in a batch
    batch: int | None
    imgsz_px: int | None
    most_objects: int | None  # that it finds in an image


class ModelCard(ModelFile):
    """The content of model.json."""

    weights: str  # a file name or a URL
    weights_sha256: str  # empty for a model on a server
    compiled_sha256: str  # of `file`; empty for a model on a server


def describe_file(
    metadata: Mapping[str, Any] | None,
    source: str,
    file: str,
    shape: Shape | None = None,
    most_objects: int | None = None,
) -> ModelFile:
    """Return the description of a model file from the metadata that ultralytics wrote, and its graph if it was read.

    `source` is what the user configured. Raise UserError if it is no model for boxes with class names.
    """
    if not metadata or not metadata.get("names"):
        raise UserError(f"{source} has no metadata of a model exported by ultralytics: export it again")
    task = str(metadata.get("task", TASKS[0]))
    if task not in TASKS:
        raise UserError(f"{source} is a model for '{task}'; allowed: {', '.join(TASKS)}")
    raw = {key: metadata.get(key) for key in ("names", "args", "dynamic", "batch", "imgsz")}
    known: dict[str, Any] = {k: ast.literal_eval(v) if isinstance(v, str) else v for k, v in raw.items()}
    if shape is None:
        any_size = known["dynamic"] or (known["args"] or {}).get("dynamic")
        sides = known["imgsz"] or [640]
        shape = Shape(None, None, None) if any_size else Shape(int(known["batch"] or 1), sides[0], sides[-1])
    return {
        "file": file,
        "task": task,
        "names": class_names(known["names"], source),
        "most": int(known["batch"] or 1) if file.endswith(".engine") else BATCH,  # TensorRT is built for a batch
        "batch": shape.batch,
        "imgsz_px": max(shape.height, shape.width) if shape.height and shape.width else None,
        "most_objects": most_objects,
    }


def class_names(names: Mapping[Any, Any] | Sequence[Any], source: str) -> list[str]:
    """Return a model's class names in the order of their numbers.

    Raise UserError if a number is left out, or if two classes have one name: labels could not tell them apart.
    """
    known = {int(k): str(v) for k, v in (names.items() if isinstance(names, Mapping) else enumerate(names))}
    if missing := sorted(set(range(max(known, default=0) + 1)) - set(known)):
        raise UserError(
            f"{source} has no name for class number {', '.join(map(str, missing[:5]))}, but names up to"
            f" {max(known, default=0)}: give each class from 0 on a name in its `names`"
        )
    counts = Counter(known.values())
    if twice := [name for name in counts if counts[name] > 1]:
        numbers = [number for number, name in sorted(known.items()) if name == twice[0]]
        raise UserError(
            f"{source} has {len(numbers)} classes called '{twice[0]}' (numbers {', '.join(map(str, numbers))}):"
            " give each its own name in its `names`"
        )
    return [known[number] for number in sorted(known)]


def read_model_card(model: Path) -> ModelCard:
    """Return the card that compile_model wrote into a model's folder."""
    card: ModelCard = read_json(model / MODEL_CARD)
    return card


def runs_on_cpu(card: ModelCard) -> bool:
    """Return whether a model never uses a GPU of this machine: OpenVINO models and models on a server."""
    return card["file"].endswith("_openvino_model") or "://" in card["file"]


def check_classes(wanted: Iterable[str], names: Iterable[str], key: str, model: str) -> None:
    """Raise UserError if the configuration names a class that the model does not know."""
    known = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(f"{key}: {model} has no class {describe_unknown(unknown, known)}; allowed: {', '.join(known)}")


def check_most(wanted: int, most: int | None, key: str, model: str) -> None:
    """Raise UserError if more objects are wanted than the model can find in an image."""
    if most and wanted > max(most, USUAL_MOST):
        raise UserError(f"{key}: {model} finds at most {most} objects in an image; allowed: up to {most}")


def check_roles(chosen: Mapping[str, tuple[Mapping[str, Any], Path]]) -> None:
    """Raise one UserError with all faults of the models of some roles; each role has its choice and compiled folder."""
    problems = []
    for role, (model, compiled) in chosen.items():
        try:
            check_role(role, model, compiled)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def check_role(role: str, chosen: Mapping[str, Any], compiled: Path) -> None:
    """Raise UserError if a role's classes or sha256 do not fit its model. No model is loaded for this.

    An exported folder lists its classes. Other weights are checked by their card, unless they are newer than it.
    """
    weights = Path(chosen["model"])
    card = compiled / MODEL_CARD
    if (weights / "metadata.yaml").is_file():
        import yaml

        names = yaml.safe_load((weights / "metadata.yaml").read_text(encoding="utf-8"))["names"]
        check_classes(chosen["classes"], class_names(names, str(weights)), f"{role}.classes", str(weights))
    elif card.is_file() and not (weights.exists() and weights.stat().st_mtime > card.stat().st_mtime):
        known = read_model_card(compiled)
        check_classes(chosen["classes"], known["names"], f"{role}.classes", str(weights))
        check_most(chosen["max_objects"], known.get("most_objects"), f"{role}.max_objects", str(weights))
        if chosen["weights_sha256"] not in ("", known["weights_sha256"]):
            raise UserError(f"{role}.weights_sha256: {weights} has {known['weights_sha256']}")
