"""With which code, packages and models something was made: nothing of this machine."""

import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scripts.media.probe import ffmpeg_version

PACKAGES = (
    "av", "faiss-cpu", "ImageHash", "imageio-ffmpeg", "Jinja2", "numba", "numpy", "openvino", "pandas", "pillow",
    "pyarrow", "snakemake", "torch", "torchvision", "ultralytics", "yt-dlp",
)  # fmt: skip
CODE = ("Snakefile", "rules", "scripts", "envs", "profiles", "config/schemas")  # what of a checkout decides on a run
COMPILED = ":(exclude,glob)**/__pycache__/**"  # which Python writes; a copy may lack the file that has git ignore it


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
    return {"python": platform.python_version(), "ffmpeg": ffmpeg_version()}


def commit_of(checkout: Path) -> dict[str, Any]:
    """Return the commit of the workflow and whether its code was changed since; both None outside of git."""
    try:
        top = _git(checkout, "rev-parse", "--show-toplevel")
        if Path(top).resolve() != checkout.resolve():  # a copy inside of somebody else's repository
            return {"commit": None, "changed": None}
        commit = _git(checkout, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(checkout, "status", "--porcelain", "--", *CODE, COMPILED))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
