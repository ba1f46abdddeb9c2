"""Tell settings and rules that affect results, and are published with them, from those that affect only execution."""

from collections.abc import Mapping
from typing import Any

from scripts.core.layout import DATASET_STAGES
from scripts.inputs.gathered import GATHERING
from scripts.inputs.model_choice import EMBEDDING, chosen_model, roles_in

MODE_KEYS = {
    "interval": {"interval_s"},
    "every_n": {"every_n"},
    "scene": {"scene_threshold"},
    "budget": {"scene_threshold", "budget"},
}  # keys of `frames` that only these modes read


def published_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that decide a dataset's content, without paths and limits, as they are published."""
    unused = set().union(*MODE_KEYS.values()) - MODE_KEYS.get(config["frames"]["mode"], set())
    left_out = {
        "frames": unused | {"max_output_mb", "deadline_s"},
        "filter": {"model", "weights_sha256"},
        "detect": {"model", "weights_sha256"},
        "dedup": {"model"},
    }  # the dataset card names the weights of filter and detect; dedup's have their hash, if it is configured
    sections = ("frames", "filter", "dedup", "detect", "dataset")
    return {s: {k: v for k, v in config[s].items() if k not in left_out.get(s, ())} for s in sections}


def result_rules(config: Mapping[str, Any]) -> list[str]:
    """Return the rules whose code decides the dataset of this configuration."""
    stages = [rule for rule in DATASET_STAGES if rule != "embed_frames" or config["dedup"]["method"] == EMBEDDING]
    return [*stages, *GATHERING]


def result_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings that decide results and may be published."""
    download = config["download"]
    form = {key: download["ytdlp"][key] for key in ("format", "format_sort") if key in download["ytdlp"]}
    return published_settings(config) | {
        "download": {"max_height_px": download["max_height_px"], "ytdlp": form},
        "models": dict(config["models"]),
    }


def required_weights(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the sha256 that the weights of each role must have; empty if any will do."""
    return {role: chosen_model(config, role)["weights_sha256"] for role in roles_in(config)}


def runtime_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all other settings, which affect only execution. Paths, addresses and names become "set"."""
    published = result_settings(config)
    return {
        key: _without(value, published.get(key)) for key, value in sorted(config.items()) if value != published.get(key)
    }


def _without(value: Any, published: Any) -> Any:
    """Return a setting without the published parts: numbers and switches as they are, "set" for others."""
    if isinstance(value, dict):
        known = published if isinstance(published, dict) else {}
        return {k: _without(v, known.get(k)) for k, v in value.items() if k not in known or v != known[k]}
    return value if isinstance(value, bool | int | float) else "set" if value else ""
