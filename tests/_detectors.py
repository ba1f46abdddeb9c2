"""Detectors of a test: the run that they belong to, which there are, and what they are asked."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.detection.detect import detect_images
from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.model.inference import Detections, Inference, RuntimeOptions
from tests._infer import detect_alone
from tests.unit.model.test_engine import ASK


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that stands for the run, to which the detector belongs."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setenv(OWNER, owner_name(process.pid))
        yield process
        process.kill()


def servers() -> list[int]:
    """Return the detectors of this test's owner."""
    name = os.environ.get(OWNER, "?")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"scripts.warm.server" in words and name.encode() in words:
            found.append(int(folder.name))
    return found


def wait_until(what: Any, seconds: float) -> float:
    began = time.monotonic()
    while not what() and time.monotonic() < began + seconds:
        time.sleep(0.05)
    assert what()
    return time.monotonic() - began


@pytest.fixture
def images(frames: Path) -> list[Path]:
    return sorted(frames.glob("*.jpg"))


def ask(model: Path, images: list[Path], work: Path, warm: bool = True, asked: Inference = ASK) -> list[Detections]:
    if not warm:
        return detect_alone(model, images, asked, work)
    return list(detect_images(model, images, asked, RuntimeOptions(1, work, warm=True)))
