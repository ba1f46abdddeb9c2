"""What compile_model wrote of a model, and whether a configuration fits it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.core.files import read_json
from scripts.core.layout import MODEL_CARD
from scripts.job.suggestions import describe_unknown


def check_classes(wanted: Iterable[str], names: Iterable[str], key: str, model: str) -> None:
    """Raise UserError if the configuration names a class that the model does not know."""
    known = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(f"{key}: {model} has no class {describe_unknown(unknown, known)}; allowed: {', '.join(known)}")


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


def runs_on_cpu(card: Mapping[str, Any]) -> bool:
    """Tell whether a model needs no GPU of this machine, whatever it has: OpenVINO's, and those on a server."""
    return str(card["file"]).endswith("_openvino_model") or "://" in card["file"]


def read_model_card(model: Path) -> dict[str, Any]:
    """Return what compile_model wrote of a model: file, format, names, sha256 of its weights."""
    card: dict[str, Any] = read_json(model / MODEL_CARD)
    return card
