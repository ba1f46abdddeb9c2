"""What decides on a compiled model, and its name; roles that ask for the same model share it."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EMBEDDING = "embedding"  # the method of dedup that takes vectors of a model
DEDUP_RULES = ("max_distance_bits", "compare_objects", "match_mirrored", "prefer", "weights")
SERVED = re.compile(r"(http|grpc)://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9_.-]+")  # a model on a Triton server


def spec_of(config: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Return what decides on the compiled model of role `filter`, `detect` or `dedup`."""
    if role == "dedup":  # vectors are taken of layers, which no other format shows
        return {"weights": weights_of(config, role), "form": "native", "imgsz_px": config["filter"]["imgsz_px"]}
    return {
        "weights": weights_of(config, role),
        "form": config["models"]["format"],
        "imgsz_px": config[role]["imgsz_px"],
    }


def roles_in(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the roles for which a run needs a model."""
    return ("filter", "detect", "dedup") if config["dedup"]["method"] == EMBEDDING else ("filter", "detect")


def chosen_model(config: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Return the model that a role uses, the sha256 that its weights must have, and the classes that must be known."""
    chosen = {key: config[role].get(key, []) for key in ("model", "weights_sha256", "classes")}
    if role == "dedup" and not chosen["model"]:
        chosen["model"] = config["filter"]["model"]
        chosen["weights_sha256"] = chosen["weights_sha256"] or config["filter"]["weights_sha256"]
    return chosen


def weights_of(config: Mapping[str, Any], role: str) -> str:
    """Return the model that a role uses."""
    weights: str = chosen_model(config, role)["model"]
    return weights


def hash_method(config: Mapping[str, Any]) -> str:
    """Return how hashes are made; beside vectors, too, since the audit of the splits goes by them."""
    method: str = config["dedup"]["method"]
    return "phash" if method == EMBEDDING else method


def name_of(config: Mapping[str, Any], role: str) -> str:
    """Return the name of the compiled model's folder."""
    spec = json.dumps(spec_of(config, role), sort_keys=True)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(weights_of(config, role)).stem).strip("-") or "model"
    return f"{stem}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def roles_of(config: Mapping[str, Any], name: str) -> list[str]:
    """Return the roles that use the compiled model of this name."""
    return [role for role in roles_in(config) if name_of(config, role) == name]


def is_served(model: str) -> bool:
    """Tell whether a model is one on a Triton server."""
    return SERVED.fullmatch(model) is not None
