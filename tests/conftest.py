"""Fixtures that many tests need: clips made by ffmpeg, the demo's compiled detector and its finished runs.

What takes long is made once for all workers; tests change only copies of it.
"""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hypothesis
import imageio_ffmpeg
import pytest

from scripts.download.options import DownloadOptions
from tests import _places
from tests._models import compiled
from tests._run import ONE_CLIP, PAIR, Finished, LayOut, Outcome, Run, lay_out
from tests._shared import made

REPO, DEMO, REAL = _places.REPO, _places.DEMO, _places.REAL

MakeClip = Callable[..., Path]
# Without a limit per example, which a busy machine exceeds.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    """Undo what a shell does to background commands, so that jobs of the tests can be interrupted there, too."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers share."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"


@pytest.fixture(scope="session")
def make_clip(shared: Path) -> MakeClip:
    """Return a function that runs ffmpeg with these arguments and returns the file it wrote."""

    def make(name: str, *arguments: str) -> Path:
        def run(folder: Path) -> None:
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments, str(folder / name)]
            subprocess.run(command, check=True)

        # Clips differ by the arguments, too: two tests may use the same name.
        key = hashlib.sha256("\0".join((name, *arguments)).encode()).hexdigest()[:12]
        return made(shared / "clips" / key, run) / name

    return make


@pytest.fixture(scope="session")
def clip(make_clip: MakeClip) -> Path:
    """Return a clip of 6 s at 25 fps with B-frames."""
    return make_clip("plain.mp4", *pattern(6), "-bf", "2", *H264)


@pytest.fixture(scope="session")
def compiled_demo(shared: Path) -> Path:
    """Return a folder with the demo's detector as `openvino` and as `native` model, and the `store` of the former."""

    def make(folder: Path) -> None:
        compiled(DEMO / "detector.pt", 320, folder / "openvino")
        compiled(DEMO / "detector.pt", 320, folder / "native", "native")

    return made(shared / "compiled", make)


@pytest.fixture(scope="session")
def demo(compiled_demo: Path) -> LayOut:
    """Return a function that lays out the demo in a folder; its model is in the store, so it is not built again."""
    return lambda folder: lay_out(folder, compiled_demo / "store")


def finish(folder: Path, demo: LayOut, *rows: str) -> Finished:
    """Return the demo, or these rows of its table, run in a folder that is made once."""

    def make(_: Path) -> None:
        run = demo(folder / "run")
        if rows:
            run.write_table(*rows)
        outcome = run.snakemake()
        assert outcome.code == 0, outcome.text[-3000:]
        (folder / "outcome.json").write_text(json.dumps(asdict(outcome)))

    made(folder, make)
    return Run(folder / "run"), Outcome(**json.loads((folder / "outcome.json").read_text()))


@pytest.fixture(scope="session")
def finished(shared: Path, demo: LayOut) -> Finished:
    """Return the whole demo, run once; tests look at it but change and run only copies."""
    return finish(shared / "finished", demo)


@pytest.fixture(scope="session")
def finished_clip(shared: Path, demo: LayOut) -> Run:
    """Return the demo with one clip in its table, run once; tests change and run only copies."""
    return finish(shared / "finished_clip", demo, ONE_CLIP)[0]


@pytest.fixture(scope="session")
def finished_pair(shared: Path, demo: LayOut) -> Run:
    """Return the demo with two clips in its table, run once; tests change and run only copies."""
    return finish(shared / "finished_pair", demo, *PAIR)[0]


@pytest.fixture
def fresh(demo: LayOut, tmp_path: Path) -> Run:
    """Return the demo laid out, with one clip in its table and nothing run yet."""
    run = demo(tmp_path / "run")
    run.write_table(ONE_CLIP)
    return run


H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
# The same bytes on every processor, for files in which bytes are changed: x264's fast functions round differently.
STEADY_H264 = (*H264, "-threads", "1", "-x264-params", "asm=0")


def pattern(seconds: float, size: str = "320x180", rate: str = "25") -> tuple[str, ...]:
    """Return ffmpeg's arguments for a moving test pattern as input."""
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}")


# config key `download` with waits that tests can afford; the servers of the tests run on this machine
DOWNLOAD: dict[str, Any] = {
    "max_height_px": 720, "attempts": 3, "wait_s": 0.01, "timeout_s": 1, "deadline_s": 60, "max_size_mb": 50,
    "min_speed_kb_s": 1, "max_failed_share": 0.2, "cookies": "", "proxy": "", "allow_private_hosts": True, "ytdlp": {},
    "sites": {"*": {"jobs": 4, "sleep_s": [0, 0], "per_hour": 0, "pause_s": 0.01}},
}  # fmt: skip


def download_options(**changes: Any) -> DownloadOptions:
    """Return the options of a download of the tests, with these keys changed."""
    return DownloadOptions.from_config(DOWNLOAD | changes)
