"""What of the configuration and the rules decides on results and is told with them, and what only on how a run goes."""

from collections.abc import Mapping
from typing import Any

from scripts.core.layout import DATASET_STAGES
from scripts.inputs.model_choice import EMBEDDING, chosen_model, roles_in

MODE_KEYS = {
    "interval": {"interval_s"},
    "every_n": {"every_n"},
    "scene": {"scene_threshold"},
    "budget": {"scene_threshold", "budget"},
}  # keys of `frames` that only these modes read


def published_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the configuration decides on a dataset's content and may be published: no paths, no limits."""
    idle = set().union(*MODE_KEYS.values()) - MODE_KEYS.get(config["frames"]["mode"], set())
    untold = {
        "frames": idle | {"max_output_mb", "deadline_s"},
        "filter": {"model", "weights_sha256"},
        "detect": {"model", "weights_sha256"},
        "dedup": {"model"},
    }  # cards name the weights of the first two; dedup's are told by their hash, if it was given
    sections = ("frames", "filter", "dedup", "detect", "dataset")
    return {s: {k: v for k, v in config[s].items() if k not in untold.get(s, ())} for s in sections}


def result_rules(config: Mapping[str, Any]) -> list[str]:
    """Return the rules whose code decides on the dataset of this configuration."""
    return [rule for rule in DATASET_STAGES if rule != "embed_frames" or config["dedup"]["method"] == EMBEDDING]


def result_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of the configuration that decides on results and may be published; how a run went is in its log."""
    download = config["download"]
    form = {key: download["ytdlp"][key] for key in ("format", "format_sort") if key in download["ytdlp"]}
    return published_settings(config) | {
        "download": {"max_height_px": download["max_height_px"], "ytdlp": form},
        "models": dict(config["models"]),
    }


def required_weights(config: Mapping[str, Any]) -> dict[str, str]:
    """Return per role the sha256 that its weights must have; empty: any."""
    return {role: chosen_model(config, role)["weights_sha256"] for role in roles_in(config)}


def runtime_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else is configured, which changes how a run goes: paths, addresses and names only as set or not."""
    told = result_settings(config)
    return {key: _without(value, told.get(key)) for key, value in sorted(config.items()) if value != told.get(key)}


def _without(value: Any, told: Any) -> Any:
    """Return numbers and switches as they are, of all else only whether it is set, and nothing that is told already."""
    if isinstance(value, dict):
        rest = {k: v for k, v in value.items() if not isinstance(told, dict) or k not in told or v != told[k]}
        return {k: _without(v, told[k] if isinstance(told, dict) and k in told else None) for k, v in rest.items()}
    return value if isinstance(value, bool | int | float) else "set" if value else ""
