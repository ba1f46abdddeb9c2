"""Describe a compiled model in its card, model.json, and check that a configuration fits it."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import MODEL_CARD
from scripts.job.suggestions import describe_unknown

BATCH = 16  # images at a time, where a model takes any number


class ModelFile(TypedDict):
    """The file of a compiled model, or its URL on a server, and its classes and input. None: any size."""

    file: str
    names: list[str]
    most: int  # images in a batch
    batch: int | None
    imgsz_px: int | None


class ModelCard(ModelFile):
    """The content of model.json."""

    weights: str  # a file name or a URL
    weights_sha256: str  # empty for a model on a server


def describe_file(metadata: Mapping[str, Any] | None, source: str, file: str) -> ModelFile:
    """Return the description of a model file from the metadata that ultralytics wrote.

    `source` is what the user configured. Raise UserError if it is no detection model with class names.
    """
    if not metadata or not metadata.get("names") or metadata.get("task", "detect") != "detect":
        raise UserError(f"{source} has no metadata of a detection model exported by ultralytics: export it again")
    raw = {key: metadata.get(key) for key in ("names", "args", "dynamic", "batch", "imgsz")}
    known: dict[str, Any] = {k: ast.literal_eval(v) if isinstance(v, str) else v for k, v in raw.items()}
    arguments: dict[str, Any] = known["args"] or {}
    dynamic = bool(known["dynamic"] or arguments.get("dynamic"))
    batch = int(known["batch"] or 1)
    return {
        "file": file,
        "names": [name for _, name in sorted((int(key), name) for key, name in known["names"].items())],
        "most": batch if file.endswith(".engine") else BATCH,  # TensorRT takes no more than it was built for
        "batch": None if dynamic else batch,
        "imgsz_px": None if dynamic else max(known["imgsz"] or [640]),
    }


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
        check_classes(chosen["classes"], names.values(), f"{role}.classes", str(weights))
    elif card.is_file() and not (weights.exists() and weights.stat().st_mtime > card.stat().st_mtime):
        known = read_model_card(compiled)
        check_classes(chosen["classes"], known["names"], f"{role}.classes", str(weights))
        if chosen["weights_sha256"] not in ("", known["weights_sha256"]):
            raise UserError(f"{role}.weights_sha256: {weights} has {known['weights_sha256']}")
