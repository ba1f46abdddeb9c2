"""What a dataset's provenance tells of the configuration, the code and the packages: nothing of this machine."""

import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scripts._config import telling_settings
from scripts._models import EMBEDDING, chosen_model, roles_in

# Rules whose code decides on results/; the others run on demand.
RULES = (
    "download_video", "extract_frames", "compile_model", "filter_frames", "hash_frames", "embed_frames", "deduplicate",
    "detect_objects", "export_dataset", "report",
)  # fmt: skip
PACKAGES = (
    "av", "faiss-cpu", "ImageHash", "imageio-ffmpeg", "Jinja2", "numba", "numpy", "openvino", "pandas", "pillow",
    "pyarrow", "snakemake", "torch", "torchvision", "ultralytics", "yt-dlp",
)  # fmt: skip
CODE = ("Snakefile", "rules", "scripts", "envs", "profiles", "config/schemas")  # what of a checkout decides on a run


def deciding_rules(config: Mapping[str, Any]) -> list[str]:
    """Return the rules whose code decides on the results of this configuration."""
    return [rule for rule in RULES if rule != "embed_frames" or config["dedup"]["method"] == EMBEDDING]


def deciding_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of the configuration that decides on results and may be published; how a run went is in its log."""
    download = config["download"]
    form = {key: download["ytdlp"][key] for key in ("format", "format_sort") if key in download["ytdlp"]}
    return telling_settings(config) | {
        "download": {"max_height_px": download["max_height_px"], "ytdlp": form},
        "models": dict(config["models"]),
    }


def asked_weights(config: Mapping[str, Any]) -> dict[str, str]:
    """Return per role the sha256 that its weights must have; empty: any."""
    return {role: chosen_model(config, role)["weights_sha256"] for role in roles_in(config)}


def steering(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else is configured, which changes how a run goes: paths, addresses and names only as set or not."""
    told = deciding_settings(config)
    return {key: _without(value, told.get(key)) for key, value in sorted(config.items()) if value != told.get(key)}


def _without(value: Any, told: Any) -> Any:
    """Return numbers and switches as they are, of all else only whether it is set, and nothing that is told already."""
    if isinstance(value, dict):
        rest = {k: v for k, v in value.items() if not isinstance(told, dict) or k not in told or v != told[k]}
        return {k: _without(v, told[k] if isinstance(told, dict) and k in told else None) for k, v in rest.items()}
    return value if isinstance(value, bool | int | float) else "set" if value else ""


def installed_versions(names: Iterable[str], envs: Path | None = None) -> dict[str, str]:
    """Return the versions of packages: those installed here, else those that the environments of other rules pin."""
    pins: dict[str, str] = {}
    for file in sorted(envs.glob("*.yaml")) if envs else []:
        pins |= dict(re.findall(r"^ +- ([A-Za-z0-9_-]+)==(\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE))
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # with conda, each group of rules has an environment of its own
            found |= {name: pins[name.lower()]} if name.lower() in pins else {}
    return found


def model_facts(card: Mapping[str, Any]) -> dict[str, str]:
    """Return a model's name and the sha256 of its weights; of a model on a server neither host nor hash."""
    sha256 = card["weights_sha256"] or "unknown (on a server)"
    return {"name": str(card["weights"]).rsplit("/", 1)[-1], "sha256": sha256}


def tool_versions() -> dict[str, str]:
    """Return the versions of this Python and of the ffmpeg that extracts frames."""
    import imageio_ffmpeg

    return {"python": platform.python_version(), "ffmpeg": str(imageio_ffmpeg.get_ffmpeg_version())}


def commit_of(checkout: Path) -> dict[str, Any]:
    """Return the commit of the workflow and whether its code was changed since; both None outside of git."""
    try:
        top = _git(checkout, "rev-parse", "--show-toplevel")
        if Path(top).resolve() != checkout.resolve():  # a copy inside of somebody else's repository
            return {"commit": None, "changed": None}
        commit = _git(checkout, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(checkout, "status", "--porcelain", "--", *CODE))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
