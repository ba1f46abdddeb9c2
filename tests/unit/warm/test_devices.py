"""Each job gets a GPU that no other job is using."""

import threading
import time
from pathlib import Path

import pytest

from scripts.warm.devices import cuda_devices, hold_device
from scripts.warm.sockets import private_folder


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
        with hold_device(tmp_path) as device:
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
    with hold_device(tmp_path) as device:
        assert device == "cpu", "OpenVINO's models need no GPU, whatever is there"


def test_submissions_to_slurm_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # so SLURM calls the GPU of either
    (tmp_path / "model.json").write_text('{"file": "model.engine"}')
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with hold_device(tmp_path) as mine:
        monkeypatch.setenv("SLURM_JOB_ID", "8")
        with hold_device(tmp_path) as others:
            assert mine == others == "cuda:0"
    assert not list(private_folder().glob("*-[78]-*.lock")), "a node's folder does not fill up with them"
