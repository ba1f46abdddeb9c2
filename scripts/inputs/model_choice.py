"""Choose the model of each role and name its compiled form. Roles with the same model share one."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

EMBEDDING = "embedding"  # the dedup method that compares feature vectors of a model
DEDUP_RULES = ("max_distance_bits", "compare_objects", "match_mirrored", "prefer", "weights")
SERVED = re.compile(r"(http|grpc)://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9_.-]+")  # a model on a Triton server


class ModelSpec(TypedDict):
    """The settings that decide a compiled model."""

    weights: str
    form: str
    imgsz_px: int


class ModelChoice(TypedDict):
    """The configured model of a role, the sha256 that its weights must have, and the objects that it must find."""

    model: str
    weights_sha256: str
    classes: list[str]
    max_objects: int


def spec_of(config: Mapping[str, Any], role: str) -> ModelSpec:
    """Return the settings that decide the compiled model of role `filter`, `detect` or `dedup`."""
    if role == "dedup":  # vectors come from layers, which only the native format exposes
        return {"weights": weights_of(config, role), "form": "native", "imgsz_px": config["filter"]["imgsz_px"]}
    return {
        "weights": weights_of(config, role),
        "form": config["models"]["format"],
        "imgsz_px": config[role]["imgsz_px"],
    }


def roles_in(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the roles that need a model in this configuration."""
    return ("filter", "detect", "dedup") if config["dedup"]["method"] == EMBEDDING else ("filter", "detect")


def chosen_model(config: Mapping[str, Any], role: str) -> ModelChoice:
    """Return the configured model of a role. `dedup` uses the filter's model if it has none."""
    section = config[role]
    chosen: ModelChoice = {
        "model": section["model"],
        "weights_sha256": section["weights_sha256"],
        "classes": section.get("classes", []),
        "max_objects": section.get("max_objects", 0),
    }
    if role == "dedup" and not chosen["model"]:
        chosen["model"] = config["filter"]["model"]
        chosen["weights_sha256"] = chosen["weights_sha256"] or config["filter"]["weights_sha256"]
    return chosen


def weights_of(config: Mapping[str, Any], role: str) -> str:
    """Return the name or path of the model that a role uses."""
    return chosen_model(config, role)["model"]


def hash_method(config: Mapping[str, Any]) -> str:
    """Return how frames are hashed. Method `embedding` needs hashes too, because the audit of the splits uses them."""
    method: str = config["dedup"]["method"]
    return "phash" if method == EMBEDDING else method


def name_of(config: Mapping[str, Any], role: str) -> str:
    """Return the name of the compiled model's folder."""
    spec = json.dumps(spec_of(config, role), sort_keys=True)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(weights_of(config, role)).stem).strip("-") or "model"
    return f"{stem}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def roles_of(config: Mapping[str, Any], name: str) -> list[str]:
    """Return the roles that share the compiled model of this name."""
    return [role for role in roles_in(config) if name_of(config, role) == name]


def is_served(model: str) -> bool:
    """Return whether a model is on a Triton server."""
    return SERVED.fullmatch(model) is not None
