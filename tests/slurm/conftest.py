"""A real SLURM, started for these tests and stopped after them, and the demo on it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._run import PAIR, LayOut, Outcome, Run
from tests.conftest import REPO
from tests.slurm._cluster import running_cluster, why_not

# What this cluster needs and others do not: it has no database to ask for states, and more cores than the machine.
HERE = ("--slurm-status-command", "squeue")
# The executor asks for states after 1, 12 and 33 seconds, and so on; here each second.
POLLING = """
from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 1.0, lambda self, seconds: None)
main()
"""
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
    _, _, _, *of_run = run.command()  # python -m snakemake
    return [
        sys.executable,
        "-c",
        POLLING,
        *of_run,
        "--workflow-profile",
        str(REPO / "profiles" / profile),
        *HERE,
        *ONE_CORE,
        *arguments,
    ]


def submit(run: Run, profile: str, *arguments: str) -> Outcome:
    """Run it to its end."""
    done = subprocess.run(
        command(run, profile, *arguments), cwd=run.folder, capture_output=True, text=True, check=False, timeout=1800
    )
    [log] = (run.folder / ".snakemake/log").glob("*.log")
    return Outcome(done.returncode, done.stdout + done.stderr, log.read_text())
