"""Measure a command with all that it starts, processes that outlive it included."""

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.conftest import REPO

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_S = 0.2
LINGER_S = 15.0


@dataclass(frozen=True)
class Measured:
    """Seconds of wall clock and CPU, the most private memory of all its processes together, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    text: str


def measure(command: Sequence[str], log: Path) -> Measured:
    """Run a command to its end and wait for what it left running; raise SystemExit if it fails."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans become this process's children
    stop, peak = threading.Event(), [0.0]
    sampler = threading.Thread(target=_sample, args=(stop, peak))
    sampler.start()
    began = time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=REPO,
            env=os.environ | {"PYTHONPATH": str(REPO)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall_s, cpu_s = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    stop.set()
    sampler.join()
    with suppress(ChildProcessError):
        while time.monotonic() < began + wall_s + LINGER_S:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
            cpu_s += usage.ru_utime + usage.ru_stime if pid else 0
            time.sleep(0 if pid else 0.05)
        raise SystemExit(f"something is still running after {command}")
    text = log.read_text(errors="replace")
    if status:
        raise SystemExit(f"failed: {command}\n{text[-3000:]}")
    return Measured(wall_s, cpu_s, peak[0] / 1e6, text)


def _sample(stop: threading.Event, peak: list[float]) -> None:
    while not stop.wait(SAMPLE_S):
        total = 0.0
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                memory = child.memory_info()
                total += memory.rss - memory.shared
        peak[0] = max(peak[0], total)
