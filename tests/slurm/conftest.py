"""A real SLURM, started for these tests and stopped after them, and the demo on it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._run import PAIR, LayOut, Outcome, Run
from tests.conftest import REPO
from tests.slurm._cluster import running_cluster, why_not

# What this cluster needs and others do not: it has no database to ask for states, and more cores than the machine.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1")
ONE_CORE = ("--set-threads", "extract_frames=1")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run SLURM for all tests."""
    if reason := why_not():
        pytest.skip(reason)
    with running_cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def pair(demo: LayOut, tmp_path: Path) -> Run:
    """Return the demo laid out with two clips, and nothing run yet."""
    run = demo(tmp_path / "run")
    run.write_table(*PAIR)
    return run


def command(run: Run, profile: str, *arguments: str) -> list[str]:
    """Return the command that runs on the cluster what a user would, with a profile of ours."""
    return [*run.command(), "--workflow-profile", str(REPO / "profiles" / profile), *HERE, *ONE_CORE, *arguments]


def submit(run: Run, profile: str, *arguments: str) -> Outcome:
    """Run it to its end."""
    done = subprocess.run(
        command(run, profile, *arguments), cwd=run.folder, capture_output=True, text=True, check=False, timeout=1800
    )
    [log] = (run.folder / ".snakemake/log").glob("*.log")
    return Outcome(done.returncode, done.stdout + done.stderr, log.read_text())
