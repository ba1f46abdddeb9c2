"""A compiled model, frames for it, and a run that a warm detector belongs to."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.schemas import FRAMES
from scripts.core.tables import write_table
from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.model.inference import Detections
from tests._clips import extract
from tests._detectors import ASK, KEEN
from tests._infer import detect_alone
from tests._shared import made
from tests.conftest import DEMO


@pytest.fixture(scope="session")
def model(compiled_demo: Path) -> Path:
    """Return the demo's detector, compiled for this machine."""
    return compiled_demo / "openvino"


@pytest.fixture(scope="session")
def frames(shared: Path) -> Path:
    """Return a folder of four frames, one of which cannot be read, as extract_frames leaves them."""

    def make(folder: Path) -> None:
        rows = extract(DEMO / "clips/crossing.mp4", folder, end_s=4.0)
        (folder / "out/000000000.jpg").write_bytes(b"torn")
        write_table(folder / "out/frames.parquet", rows, FRAMES, note="kept")

    return made(shared / "frames", make) / "out"


@pytest.fixture(scope="session")
def images(frames: Path) -> list[Path]:
    """Return the files of these frames."""
    return sorted(frames.glob("*.jpg"))


@pytest.fixture(scope="session")
def alone(model: Path, images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Detections]:
    """Return what a job that loads the model itself detects in these frames."""
    return detect_alone(model, images, ASK, tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="session")
def alone_keen(model: Path, images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Detections]:
    """Return what such a job detects with other settings."""
    return detect_alone(model, images, KEEN, tmp_path_factory.mktemp("alone"))


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that stands for the run, to which the detector belongs."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setenv(OWNER, owner_name(process.pid))
        yield process
        process.kill()
