"""The warm detector: the answers of a job alone, one load for a run, and no fault of its process in a result."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import _warm
from scripts._detector import Detections, Inference, Place, detect_images
from scripts._engine import Engine, is_out_of_memory
from scripts._log import UserError
from scripts._owner import OWNER, is_alive, owner_name
from scripts._warm import cuda_devices, private_folder
from tests._infer import detect_alone
from tests.conftest import DEMO
from tests.unit.test_models import ASK, frames, model

__all__ = ["frames", "model"]  # fixtures


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
        if b"scripts._warm_server" in words and name.encode() in words:
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
    return list(detect_images(model, images, asked, Place(1, work, warm=True)))


def test_answers_are_those_of_the_job_itself_and_the_model_is_loaded_once(
    owner: Any, model: Path, images: list[Path], tmp_path: Path
) -> None:
    alone = ask(model, images, tmp_path / "w", warm=False)
    assert len(alone) == len(images) - 1, "one cannot be read"
    for _ in range(3):
        assert ask(model, images, tmp_path / "w") == alone
    keen = Inference(confidence=0.05, iou=0.5, imgsz_px=320, classes=("car",))
    assert ask(model, images, tmp_path / "w", asked=keen) == ask(model, images, tmp_path / "w", False, keen)
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


def test_a_killed_detector_is_replaced_and_nothing_is_lost_or_doubled(
    owner: Any, model: Path, images: list[Path], tmp_path: Path
) -> None:
    many = images[1:]
    alone = ask(model, many, tmp_path / "w", warm=False)
    stream = detect_images(model, many, ASK, Place(1, tmp_path / "w", True))
    got = [next(stream)]
    os.kill(servers()[0], signal.SIGKILL)
    got += list(stream)
    assert got == alone


def test_a_hung_detector_is_replaced(
    owner: Any, model: Path, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ask(model, images, tmp_path / "w")
    [hung] = servers()
    os.kill(hung, signal.SIGSTOP)
    monkeypatch.setattr(_warm, "START_S", 12.0)
    assert ask(model, images, tmp_path / "w") == alone
    assert hung not in servers()


def test_a_detector_that_hangs_while_it_answers_is_replaced(
    owner: Any, model: Path, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ask(model, images, tmp_path / "w", warm=False)
    many = images * 40  # more answers than its pipe holds unread
    monkeypatch.setattr(_warm, "ANSWER_S", 10.0)
    stream = detect_images(model, many, ASK, Place(1, tmp_path / "w", True))
    got = [next(stream)]
    [hung] = servers()
    os.kill(hung, signal.SIGSTOP)
    got += list(stream)
    assert got == alone * 40 and hung not in servers()


def test_a_model_can_be_loaded_before_anybody_asks(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    _warm.start_early(model, Place(1, tmp_path / "w", True))
    assert len(servers()) == 1
    assert len(ask(model, images, tmp_path / "w")) == len(images) - 1
    assert len(servers()) == 1
    [log] = tmp_path.glob("detector-*.log")
    assert log.read_text().count("loaded") == 1 and "rror" not in log.read_text()


def test_two_runs_on_one_machine_have_detectors_of_their_own(
    owner: Any, model: Path, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ask(model, images, tmp_path / "w", warm=False)
    assert ask(model, images, tmp_path / "one") == alone
    [first] = servers()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(OWNER, owner_name(other.pid))
        keen = Inference(confidence=0.05, iou=0.5, imgsz_px=320, classes=("car",))
        assert ask(model, images, tmp_path / "two", asked=keen) == ask(model, images, tmp_path / "two", False, keen)
        [second] = servers()
        other.kill()
    wait_until(lambda: not is_alive(owner_name(second)), 5)
    monkeypatch.setenv(OWNER, owner_name(owner.pid))
    assert servers() == [first] and ask(model, images, tmp_path / "one") == alone


def test_a_stale_socket_is_harmless(owner: Any, model: Path, images: list[Path], tmp_path: Path) -> None:
    alone = ask(model, images, tmp_path / "w")
    os.kill(servers()[0], signal.SIGKILL)
    wait_until(lambda: not servers(), 5)
    assert ask(model, images, tmp_path / "w") == alone


def test_a_detector_that_cannot_start_is_an_error_with_its_words(
    owner: Any, model: Path, images: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.json").write_bytes((model / "model.json").read_bytes())
    with pytest.raises(UserError, match="failed 3 times: the detector died: .*see .*detector-"):
        ask(broken, images, tmp_path / "w")


def test_sockets_lie_where_only_this_user_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    name = f"reelsieve-{os.getuid()}"
    usual = private_folder()
    assert usual.stat().st_mode & 0o777 == 0o700
    (tmp_path / name).rmdir() if (tmp_path / name).is_dir() else None
    (tmp_path / name).mkdir(mode=0o777)
    (tmp_path / name).chmod(0o777)
    assert private_folder() == Path("/tmp") / name, "a folder that others can enter is not taken"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
    assert private_folder() == Path("/tmp") / name


def test_a_process_is_known_by_more_than_its_number() -> None:
    own = owner_name(os.getpid())
    assert is_alive(own) and not is_alive(f"{os.getpid()}.1") and not is_alive("")
    with subprocess.Popen(["true"]) as ended:
        pass
    assert not is_alive(f"{ended.pid}.1")


def test_gpus_are_counted_without_loading_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, devices in (("", []), ("-1", []), ("3", ["cuda:0"]), ("0,1", ["cuda:0", "cuda:1"])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert cuda_devices() == devices


def test_each_gpu_serves_one_job_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (tmp_path / "model.json").write_text('{"file": "model.engine"}')
    inside: list[str] = []
    most: list[int] = []

    def job() -> None:
        with _warm._device(tmp_path) as device:
            inside.append(device)
            most.append(len(inside))
            assert len(set(inside)) == len(inside)
            time.sleep(0.1)
            inside.remove(device)

    threads = [threading.Thread(target=job) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2 and len(most) == 6
    (tmp_path / "model.json").write_text('{"file": "model_openvino_model"}')
    with _warm._device(tmp_path) as device:
        assert device == "cpu", "OpenVINO's models need no GPU, whatever is there"


class Small:
    """Stands for a device that holds three images at most: no test machine has too little memory on demand."""

    def __call__(self, arrays: list[int]) -> list[int]:
        if len(arrays) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return arrays


def test_a_batch_is_halved_until_it_fits() -> None:
    engine = Engine.__new__(Engine)
    engine._fixed_batch, engine._device = None, "cuda:0"
    assert engine._predict(Small(), list(range(16))) == list(range(16))
    engine._fixed_batch = 16
    with pytest.raises(UserError, match="cuda:0 has too little memory for 16 image"):
        engine._predict(Small(), list(range(16)))
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(RuntimeError("shape mismatch"))


def test_asking_needs_little_time_and_loads_no_large_library(
    owner: Any, model: Path, frames: Path, tmp_path: Path
) -> None:
    code = """
import resource, sys
from pathlib import Path
from scripts.filter_frames import filter_frames
from scripts._detector import Inference, Place
frames, model, out, work = map(Path, sys.argv[1:])
filter_frames(frames, model, out, Inference(0.4, 0.7, 320, ("car",)), 1, Place(1, work, True))
print(*{"torch", "pandas", "cv2", "ultralytics", "scipy"} & set(sys.modules))
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime)
"""
    command = [sys.executable, "-c", code, str(frames), str(model), str(tmp_path / "out"), str(tmp_path / "w")]
    done = subprocess.run(command, cwd=DEMO.parents[1], capture_output=True, text=True, check=True)
    loaded, seconds = done.stdout.splitlines()
    assert loaded == "" and float(seconds) < 2, "0.2 on an idle machine"


ISOLATED = """
import os, sys
from pathlib import Path
from scripts._detector import Inference, Place, detect_images
images = [Path(path) for path in sys.argv[3:]]
found = list(detect_images(Path(sys.argv[1]), images, Inference(0.4, 0.7, 320, ()), Place(1, Path(sys.argv[2]), True)))
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
