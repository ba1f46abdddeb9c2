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


def weights_of(config: Mapping[str, Any], role: str) -> str:
    """Return the model that a role uses."""
    weights: str = config[role]["model"]
    return config["filter"]["model"] if role == "dedup" and not weights else weights


def sha256_of_role(config: Mapping[str, Any], role: str) -> str:
    """Return the sha256 that the role's weights must have; empty if any will do."""
    wanted: str = config[role]["weights_sha256"]
    own = role != "dedup" or config[role]["model"]
    return wanted if own or wanted else config["filter"]["weights_sha256"]


def hash_method(config: Mapping[str, Any]) -> str:
    """Return how hashes are made; beside vectors, too, since the audit of the splits goes by them."""
    method: str = config["dedup"]["method"]
    return "phash" if method == EMBEDDING else method


def name_of(config: Mapping[str, Any], role: str) -> str:
    """Return the name of the compiled model's folder."""
    spec = json.dumps(spec_of(config, role), sort_keys=True)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(weights_of(config, role)).stem).strip("-") or "model"
    return f"{stem}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def is_served(model: str) -> bool:
    """Tell whether a model is one on a Triton server."""
    return SERVED.fullmatch(model) is not None
