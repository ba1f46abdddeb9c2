"""The warm detector: the answers of a job alone, one load for a run, and an end with it."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.job.environment import OWNER
from scripts.job.process import is_alive, owner_name
from scripts.model.inference import Detections, RuntimeOptions
from scripts.warm.client import start_early
from scripts.warm.sockets import private_folder
from tests._detectors import KEEN, ask, servers, wait_until
from tests.conftest import DEMO

Answers = list[Detections]


def test_answers_are_those_of_the_job_itself_and_the_model_is_loaded_once(
    owner: Any, model: Path, images: list[Path], alone: Answers, alone_keen: Answers, tmp_path: Path
) -> None:
    assert len(alone) == len(images) - 1, "one cannot be read"
    for _ in range(3):
        assert ask(model, images, tmp_path / "w") == alone
    assert ask(model, images, tmp_path / "w", KEEN) == alone_keen
    assert len(servers()) == 1
    [log] = tmp_path.glob("detector-*.log")
    assert log.read_text().count("loaded") == 1


def test_jobs_that_come_at_once_start_one_detector(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=ask, args=(model, images, tmp_path / "w")) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(120)
    assert [job.exitcode for job in jobs] == [0] * 4 and len(servers()) == 1


@pytest.mark.parametrize("kill", [True, False])
def test_the_detector_ends_with_its_run(
    owner: subprocess.Popen[bytes], model: Path, images: list[Path], tmp_path: Path, kill: bool
) -> None:
    ask(model, images, tmp_path / "w")
    sockets = [path for path in private_folder().iterdir() if path.is_socket()]
    assert sockets
    if kill:
        owner.kill()
    elif owner.stdin:
        owner.stdin.close()
    assert wait_until(lambda: not servers(), 10) < 5


def test_a_model_can_be_loaded_early(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    start_early(model, RuntimeOptions(1, tmp_path / "w", True))
    assert len(servers()) == 1
    assert len(ask(model, images, tmp_path / "w")) == len(images) - 1
    assert len(servers()) == 1
    [log] = tmp_path.glob("detector-*.log")
    assert log.read_text().count("loaded") == 1 and "rror" not in log.read_text()


def test_two_runs_on_one_machine_have_detectors_of_their_own(
    owner: subprocess.Popen[bytes],
    model: Path,
    images: list[Path],
    alone: Answers,
    alone_keen: Answers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ask(model, images, tmp_path / "one") == alone
    [first] = servers()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(OWNER, owner_name(other.pid))
        assert ask(model, images, tmp_path / "two", KEEN) == alone_keen
        [second] = servers()
        other.kill()
    wait_until(lambda: not is_alive(owner_name(second)), 5)
    monkeypatch.setenv(OWNER, owner_name(owner.pid))
    assert servers() == [first] and ask(model, images, tmp_path / "one") == alone


def test_a_process_is_known_by_more_than_its_number() -> None:
    own = owner_name(os.getpid())
    assert is_alive(own) and not is_alive(f"{os.getpid()}.1") and not is_alive("")
    with subprocess.Popen(["true"]) as ended:
        pass
    assert not is_alive(f"{ended.pid}.1")


def test_a_client_is_fast_and_loads_no_large_library(owner: Any, model: Path, frames: Path, tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from scripts.detection.filter_frames import filter_frames
from scripts.detection.memory import read_memory
from scripts.model.inference import Inference, RuntimeOptions
frames, model, out, work = map(Path, sys.argv[1:])
query = Inference(0.4, 0.7, 320, ("car",))
memory = read_memory(work / "seen.parquet", model, "code", query)
filter_frames(frames, model, out, memory, query, 1, 0.0, RuntimeOptions(1, work, True))
print(*{"torch", "pandas", "cv2", "ultralytics", "scipy"} & set(sys.modules))
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
"""
    command = [sys.executable, "-c", code, str(frames), str(model), str(tmp_path / "out"), str(tmp_path / "w")]
    done = subprocess.run(command, cwd=DEMO.parents[1], capture_output=True, text=True, check=True)
    loaded, seconds = done.stdout.splitlines()
    assert loaded == "" and float(seconds) < 2, "0.2 on an idle machine"
