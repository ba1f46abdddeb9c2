"""Jobs inherit the name and the cores of their run. On a cluster, each submission is a run of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from scripts.job.environment import (
    CORES,
    OWNER,
    SUBMISSION,
    allocated_cores,
    inference_threads,
    is_submission,
    name_run,
)
from tests.conftest import REPO


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (OWNER, CORES, SUBMISSION, "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def begun(submitted: bool, **environment: str) -> dict[str, Any]:
    """Begin a run in a process of its own, and return the environment of its jobs."""
    code = """
import json, os, sys
from scripts.job.environment import *
from scripts.job.process import owner_name
name_run(1000, sys.argv[1] == "True")
print(json.dumps([os.environ[OWNER], os.environ[CORES], is_submission(), owner_name(os.getpid())]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(submitted)],
        cwd=REPO, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    owner, cores, queued, own = json.loads(done.stdout)
    return {"own": owner == own, "cores": cores, "submission": queued}


def test_a_local_run_has_the_cores_that_it_was_given() -> None:
    assert begun(False) == {"own": True, "cores": "1000", "submission": False}


def test_a_submission_is_a_run_of_its_own_with_the_cores_of_its_allocation() -> None:
    name_run(4, submitted=False)  # the submit host's, whose environment reaches the nodes
    assert not is_submission()
    found = begun(True, SLURM_JOB_ID="7", SLURM_CPUS_PER_TASK="1")
    assert found == {"own": True, "cores": "1", "submission": True}


def test_the_jobs_of_one_submission_have_one_owner_and_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert name_run(1000, submitted=True) == 1 == inference_threads()
    monkeypatch.delenv("SLURM_CPUS_PER_TASK")  # the executor takes it from jobs
    assert begun(True) == {"own": False, "cores": "1", "submission": True}
    assert begun(True, SLURM_JOB_ID="8")["own"], "another submission, on the same node"


def test_no_more_cores_are_allocated_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    here = len(os.sched_getaffinity(0))
    assert allocated_cores() == here
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1000")
    assert allocated_cores() == here
