"""What decides on a compiled model, and its name; roles that ask for the same model share it."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SERVED = re.compile(r"(http|grpc)://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9_.-]+")  # a model on a Triton server


def spec_of(config: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Return what decides on the compiled model of role `filter` or `detect`."""
    return {
        "weights": config[role]["model"],
        "form": config["models"]["format"],
        "imgsz_px": config[role]["imgsz_px"],
    }


def name_of(config: Mapping[str, Any], role: str) -> str:
    """Return the name of the compiled model's folder."""
    spec = json.dumps(spec_of(config, role), sort_keys=True)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(config[role]["model"]).stem).strip("-") or "model"
    return f"{stem}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"


def is_served(model: str) -> bool:
    """Tell whether a model is one on a Triton server."""
    return SERVED.fullmatch(model) is not None
