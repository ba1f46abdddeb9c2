"""Read the versions of the code, packages and models in use. They contain nothing about this machine."""

import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypedDict

from scripts.media.probe import ffmpeg_version

PACKAGES = (
    "av", "faiss-cpu", "ImageHash", "imageio-ffmpeg", "Jinja2", "numba", "numpy", "openvino", "pandas", "pillow",
    "pyarrow", "snakemake", "torch", "torchvision", "ultralytics", "yt-dlp",
)  # fmt: skip
CODE = (
    "Snakefile",
    "rules",
    "scripts",
    "envs",
    "profiles",
    "config/schemas",
)  # what affects a run
COMPILED = ":(exclude,glob)**/__pycache__/**"  # a copy may lack the .gitignore that excludes them


class ModelFacts(TypedDict):
    """The name of a model and the sha256 of its weights."""

    name: str
    sha256: str


class Commit(TypedDict):
    """The commit of a checkout and whether its code was changed since; both None outside of git."""

    commit: str | None
    changed: bool | None


def installed_versions(names: Iterable[str], envs: Path | None = None) -> dict[str, str]:
    """Return the versions of packages: the installed ones, else those pinned in the conda environments `envs`."""
    pins: dict[str, str] = {}
    for file in sorted(envs.glob("*.yaml")) if envs else []:
        pins |= dict(re.findall(r"^ +- ([A-Za-z0-9_-]+)==(\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE))
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # with conda, each group of rules has its own environment
            found |= {name: pins[name.lower()]} if name.lower() in pins else {}
    return found


def model_facts(card: Mapping[str, Any]) -> ModelFacts:
    """Return a model's name and hash; for a model on a server, a name without the host and no hash."""
    sha256 = card["weights_sha256"] or "unknown (on a server)"
    return {"name": str(card["weights"]).rsplit("/", 1)[-1], "sha256": sha256}


def tool_versions() -> dict[str, str]:
    """Return the versions of Python and ffmpeg."""
    return {"python": platform.python_version(), "ffmpeg": ffmpeg_version()}


def commit_of(checkout: Path) -> Commit:
    """Return the commit of the workflow and whether its code was changed since."""
    try:
        top = _git(checkout, "rev-parse", "--show-toplevel")
        if Path(top).resolve() != checkout.resolve():  # a copy inside another repository
            return {"commit": None, "changed": None}
        commit = _git(checkout, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(checkout, "status", "--porcelain", "--", *CODE, COMPILED))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
