"""Parts that many tests need: real clips made by ffmpeg, and the demo's files."""

import hashlib
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from scripts.download.options import DownloadOptions

REPO = Path(__file__).parents[1]
DEMO = REPO / "config/demo"
REAL = REPO.parent / "shared/real"

MakeClip = Callable[..., Path]


def pytest_configure() -> None:
    """Undo what a shell does to background commands, so that jobs of the tests can be interrupted there, too."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> MakeClip:
    """Return a function that runs ffmpeg with these arguments and returns the file it wrote."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *arguments: str) -> Path:
        # Beside the name, what it is made of tells clips apart: two tests may like the same name.
        path = folder / hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:12] / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments, str(path)], check=True)
        return path

    return make


@pytest.fixture(scope="session")
def clip(make_clip: MakeClip) -> Path:
    """Return a clip of 6 s at 25 fps with B-frames."""
    return make_clip("plain.mp4", *pattern(6), "-bf", "2", *H264)


H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")


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
