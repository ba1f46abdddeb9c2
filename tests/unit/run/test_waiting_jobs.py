"""Snakemake starts more inference jobs than there are devices, but only where the jobs can share these by locks."""

import os
from types import SimpleNamespace

import pytest

from scripts.job.environment import GPUS
from scripts.run import waiting_jobs
from scripts.run.waiting_jobs import PER_DEVICE, start_waiting_jobs
from scripts.warm.sockets import NoDetector


class Workflow:
    """Stands for Snakemake's, whose own slots the tests of snakemake_internals check."""

    def __init__(self, gpu: int) -> None:
        self.global_resources = {"gpu": SimpleNamespace(value=gpu)}

    def register_resource(self, name: str, count: int) -> None:
        """Set the slots of a resource."""
        self.global_resources[name] = SimpleNamespace(value=count)


@pytest.mark.parametrize("gpu", [0, 1, 3])
def test_jobs_know_how_many_devices_the_user_gave(gpu: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS, "")
    workflow = Workflow(gpu)
    start_waiting_jobs(workflow)
    assert workflow.global_resources["gpu"].value == gpu * PER_DEVICE > gpu - 1
    assert os.environ[GPUS] == str(gpu)


def test_without_a_place_for_locks_snakemakes_own_slots_must_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder() -> None:
        raise NoDetector("none")

    monkeypatch.setenv(GPUS, "")
    monkeypatch.setattr(waiting_jobs, "private_folder", no_folder)
    workflow = Workflow(2)
    start_waiting_jobs(workflow)
    assert workflow.global_resources["gpu"].value == 2 and not os.environ[GPUS]
