"""Each job gets a device that no other job is using, and a run uses no more devices than its user gave it."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import UserError
from scripts.job.environment import GPUS, OWNER
from scripts.job.process import owner_name
from scripts.job.run_state import note_stop
from scripts.warm.devices import cuda_devices, devices_for, hold_device, use_alone
from scripts.warm.sockets import private_folder

OPENVINO, TENSORRT = '{"file": "model_openvino_model"}', '{"file": "model.engine"}'


def test_gpus_are_counted_without_loading_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, devices in (("", []), ("-1", []), ("3", ["cuda:0"]), ("0,1", ["cuda:0", "cuda:1"])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert cuda_devices() == devices


def test_openvino_models_need_no_gpu_whatever_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    for card, devices in ((OPENVINO, ["cpu"]), (TENSORRT, ["cuda:0", "cuda:1"])):
        (tmp_path / "model.json").write_text(card)
        assert devices_for(tmp_path) == devices


def most_at_once(devices: list[str], jobs: int) -> int:
    """Let jobs hold devices for a moment, each alone on its device, and return how many did so at once."""
    inside: list[str] = []
    most: list[int] = []

    def job() -> None:
        with hold_device(devices) as held:
            inside.append(held.name)
            most.append(len(inside))
            assert len(set(inside)) == len(inside)
            time.sleep(0.1)
            inside.remove(held.name)

    threads = [threading.Thread(target=job) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == jobs
    return max(most)


@pytest.mark.parametrize(
    ("gpus", "devices", "most"),
    [
        ("", ["cuda:0", "cuda:1"], 2),
        ("", ["cpu"], 1),
        ("2", ["cuda:0", "cuda:1", "cuda:2"], 2),
        ("1", ["cuda:0", "cuda:1"], 1),
        ("3", ["cpu"], 1),
    ],
)
def test_each_device_serves_one_job_at_a_time_and_a_run_uses_as_many_as_it_may(
    owner: Any, monkeypatch: pytest.MonkeyPatch, gpus: str, devices: list[str], most: int
) -> None:
    monkeypatch.setenv(GPUS, gpus)
    assert most_at_once(devices, 6) == most
    assert not list(private_folder().glob(f"*-{owner.pid}_*")), "nothing is left in the folder of sockets"


def test_two_runs_that_may_each_use_one_gpu_use_two(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS, "1")
    devices = ["cuda:0", "cuda:1"]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other, hold_device(devices) as a:
        monkeypatch.setenv(OWNER, owner_name(other.pid))
        with hold_device(devices) as b:
            assert {a.name, b.name} == set(devices)
        other.kill()


def test_a_device_can_be_left_to_the_next_job_before_the_end(owner: Any) -> None:
    with hold_device(["cpu"]) as first:
        first.release()
        with hold_device(["cpu"]) as second:
            first.release()
            asked: list[int] = []

            def give_up() -> None:
                asked.append(1)
                if len(asked) == 3:
                    raise InterruptedError

            with pytest.raises(InterruptedError), hold_device(["cpu"], give_up):
                raise AssertionError("the second one still holds it")
            assert second.name == "cpu" and len(asked) == 3


def test_a_waiting_job_ends_when_the_user_stops_the_run(
    owner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".snakemake").mkdir()
    with (
        hold_device(["cpu"]),
        pytest.raises(UserError, match="before this job had its turn"),
        hold_device(["cpu"], note_stop),
    ):
        raise AssertionError("the first one holds it")


HOLDING = """
import time
from scripts.warm.devices import use_alone
with use_alone(["cpu"]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_device_of_a_killed_job_is_free_at_once(owner: Any) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE) as job:
        assert job.stdout and job.stdout.readline()
        job.kill()
        job.wait()
        began = time.monotonic()
        with use_alone(["cpu"]) as device:
            assert device == "cpu" and time.monotonic() < began + 1


def test_submissions_to_slurm_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with hold_device(["cuda:0"]) as mine:  # so SLURM calls the GPU of either
        monkeypatch.setenv("SLURM_JOB_ID", "8")
        with hold_device(["cuda:0"]) as others:
            assert mine.name == others.name == "cuda:0"
    assert not list(private_folder().glob("*-[78]-*.lock")), "a node's folder does not fill up with them"
