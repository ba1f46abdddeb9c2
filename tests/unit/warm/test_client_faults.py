"""No fault of a detector or of its surroundings changes a result."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.detection.detect import detect_images
from scripts.job.environment import OWNER
from scripts.model.inference import Detections, RuntimeOptions
from scripts.warm import detector
from tests._detectors import ASK, ask, servers, wait_until
from tests.conftest import DEMO

Answers = list[Detections]


def test_a_killed_detector_is_replaced_without_a_lost_or_doubled_image(
    owner: Any, model: Path, images: list[Path], alone: Answers, tmp_path: Path
) -> None:
    stream = detect_images(model, images, ASK, RuntimeOptions(1, tmp_path / "w", True))
    got = [next(stream)]
    os.kill(servers()[0], signal.SIGKILL)
    got += list(stream)
    assert got == alone


def limit_first(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    """Shorten a time limit until a detector is killed; the next one may take as long as usual."""
    usual, kill = getattr(detector, name), detector.Detector.kill

    def kill_and_reset(killed: detector.Detector) -> None:
        setattr(detector, name, usual)
        kill(killed)

    monkeypatch.setattr(detector, name, seconds)
    monkeypatch.setattr(detector.Detector, "kill", kill_and_reset)


def test_a_hung_detector_is_replaced(
    owner: Any, model: Path, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ask(model, images, tmp_path / "w")
    [hung] = servers()
    os.kill(hung, signal.SIGSTOP)
    limit_first(monkeypatch, "START_S", 2.0)
    assert ask(model, images, tmp_path / "w") == alone
    assert hung not in servers()


def test_a_detector_that_hangs_while_it_answers_is_replaced(
    owner: Any, model: Path, images: list[Path], alone: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = images * 40  # more answers than its pipe holds unread
    limit_first(monkeypatch, "ANSWER_S", 4.0)
    stream = detect_images(model, many, ASK, RuntimeOptions(1, tmp_path / "w", True))
    got = [next(stream)]
    [hung] = servers()
    os.kill(hung, signal.SIGSTOP)
    got += list(stream)
    assert got == alone * 40 and hung not in servers()


def test_a_stale_socket_is_harmless(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    alone = ask(model, images, tmp_path / "w")
    os.kill(servers()[0], signal.SIGKILL)
    wait_until(lambda: not servers(), 5)
    assert ask(model, images, tmp_path / "w") == alone


def test_a_detector_that_cannot_start_is_an_error_with_its_last_log_line(
    owner: Any, model: Path, images: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.json").write_bytes((model / "model.json").read_bytes())
    with pytest.raises(UserError, match="failed 3 times: the detector died: .*see .*detector-"):
        ask(broken, images, tmp_path / "w")


ISOLATED = """
import os, sys
from pathlib import Path
from scripts.detection.detect import detect_images
from scripts.model.inference import Inference, RuntimeOptions
images = [Path(path) for path in sys.argv[3:]]
runtime = RuntimeOptions(1, Path(sys.argv[2]), True)
found = list(detect_images(Path(sys.argv[1]), images, Inference(0.4, 0.7, 320, ()), runtime))
print(len(found), os.access("/dev/shm", os.W_OK))
"""


def isolated(model: Path, images: list[Path], work: Path, *before: str, **changed: str) -> tuple[str, str]:
    command = [*before, sys.executable, "-c", ISOLATED, str(model), str(work), *map(str, images)]
    environment = os.environ | {"PYTHONPATH": str(DEMO.parents[1])} | changed
    done = subprocess.run(command, cwd=work.parent, env=environment, capture_output=True, text=True, check=True)
    count, shared_memory = done.stdout.split()
    return count, shared_memory


def test_a_home_that_cannot_be_written_does_no_harm(
    owner: Any, model: Path, images: list[Path], tmp_path: Path
) -> None:
    count, _ = isolated(model, images[1:], tmp_path / "w", HOME="/proc", XDG_CONFIG_HOME="/proc", MPLCONFIGDIR="/proc")
    assert count == str(len(images) - 1) and len(servers()) == 1


def test_shared_memory_is_not_needed(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    without = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh")
    if subprocess.run([*without, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user cannot take /dev/shm away")
    assert isolated(model, images[1:], tmp_path / "w", *without) == (str(len(images) - 1), "False")
    assert len(servers()) == 1


def test_without_a_run_the_job_infers_by_itself(model: Path, images: list[Path], tmp_path: Path) -> None:
    count, _ = isolated(model, images, tmp_path / "w", **{OWNER: ""})
    assert count == str(len(images) - 1) and not list(tmp_path.glob("detector-*.log"))


def test_a_job_starts_no_detector_for_a_run_that_has_ended(
    owner: subprocess.Popen[bytes], model: Path, images: list[Path], tmp_path: Path
) -> None:
    stream = detect_images(model, images * 40, ASK, RuntimeOptions(1, tmp_path / "w", True))
    next(stream)
    owner.kill()
    owner.wait()
    wait_until(lambda: not servers(), 5)
    with pytest.raises(UserError, match="the run has ended"):
        list(stream)
    assert not servers()
