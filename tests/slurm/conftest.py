"""A real SLURM, started for these tests and stopped after them, and the demo on it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.slurm._cluster import running_cluster, why_not
from tests.workflow.conftest import Outcome, Run, lay_out

TABLE = ("night\tclips/night.mp4\t\t4\ttest\tcity", "crossing\tclips/crossing.mp4\t\t3\ttrain\tcity")
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


def lay_out_two(folder: Path) -> Run:
    """Lay out two videos of the demo."""
    run = lay_out(folder)
    run.write_table(*TABLE)
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


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the two videos, run on this machine."""
    run = lay_out_two(tmp_path_factory.mktemp("local") / "run")
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    return run
