"""Run folders and checkouts lie where users have them, and a run that is finished stays finished."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._run import Run
from tests.conftest import REPO
from tests.workflow._changes import copy_checkout

ODD = 'it\'s a "café" (1) [2] & 犬 $HOME 50%'


@pytest.mark.public_report(
    "visual-layer/fastdup 370", saw="no frames are extracted from videos in a folder with a space in its path",
    here="runs, and gives the same bytes as elsewhere",
)  # fmt: skip
@pytest.mark.public_report(
    "snakemake 1546", saw="a run in a folder with a space in its path fails at the first job",
    here="runs, and gives the same bytes as elsewhere",
)  # fmt: skip
@pytest.mark.public_report(
    "snakemake 2981", saw="a quote or a space in the path breaks the command of each Python job",
    here="runs, and gives the same bytes as elsewhere",
)  # fmt: skip
@pytest.mark.public_report(
    "snakemake 3235", saw="a symbolic link to a folder with spaces in its path fails as well",
    here="runs through the link, also when it is run again from the folder itself",
)  # fmt: skip
def test_any_path_can_hold_the_run_folder_and_the_checkout(finished_clip: Run, fresh: Run, tmp_path: Path) -> None:
    checkout = copy_checkout(REPO, tmp_path / "a checkout" / ODD)
    folder = tmp_path / "runs" / ODD
    folder.parent.mkdir()
    fresh.folder.rename(folder)
    (tmp_path / "link").symlink_to(folder)
    linked = Run(tmp_path / "link", checkout)
    outcome = linked.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert Run(folder).results() == finished_clip.results()
    assert linked.snakemake("-n").nothing_to_do and Run(folder, checkout).snakemake("-n").nothing_to_do
    folder = folder.rename(tmp_path / "{3}")
    refused = Run(folder, checkout).snakemake("-n")
    assert refused.code == 1 and "takes braces in its path for wildcards: rename or move" in refused.terminal
    assert "Traceback" not in refused.terminal
    submitted = Run(folder.rename(tmp_path / "$HOME"), checkout)
    refused = submitted.snakemake("--workflow-profile", str(REPO / "profiles/slurm"), "--forcerun", "report")
    assert refused.code == 1 and "sbatch replaces $, %, a backquote or a backslash" in refused.terminal


@pytest.fixture
def read_only_checkout(tmp_path: Path) -> Iterator[Path]:
    """Return a checkout on a file system that cannot be written."""
    checkout = copy_checkout(REPO, tmp_path / "shared/reelsieve")
    mounts = (["--bind", str(checkout), str(checkout)], ["-o", "remount,bind,ro", str(checkout)])
    for mount in mounts:
        subprocess.run(["mount", *mount], check=True)
    try:
        yield checkout
    finally:
        subprocess.run(["umount", "-l", str(checkout)], check=True)


@pytest.mark.public_report(
    "snakepipes 745", saw="OSError: Read-only file system, for a folder beside the installed workflow",
    here="runs from a checkout that cannot be written, and writes only to the run folder",
)  # fmt: skip
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a folder")
def test_a_checkout_that_cannot_be_written_is_enough(finished_clip: Run, fresh: Run, read_only_checkout: Path) -> None:
    with pytest.raises(OSError, match="Read-only"):
        (read_only_checkout / "written").touch()
    run = Run(fresh.folder, read_only_checkout)
    done = subprocess.run(
        [*run.command(), "--cores", "2", "--resources", "gpu=1"],
        cwd=read_only_checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert run.results() == finished_clip.results()


@pytest.mark.public_report(
    "pypsa-earth 1745", saw="parameters in the order of a set: each run sees other ones and does all again",
    here="nothing runs again, whatever order Python's hashes have",
)  # fmt: skip
@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_order_of_hashes_runs_nothing_again(finished_pair: Run, tmp_path: Path, seed: str) -> None:
    run = finished_pair.copy(tmp_path / "run")
    assert run.snakemake("-n", env=os.environ | {"PYTHONHASHSEED": seed}).nothing_to_do


@pytest.mark.public_report(
    "snakemake 1818", saw="rules below a checkpoint run again in each run, although all files are there",
    here="nothing is to be done, run after run",
)  # fmt: skip
@pytest.mark.public_report(
    "snakemake 2175", saw="after --touch a rule below a checkpoint runs again, each time",
    here="nothing is to be done after --touch, run after run",
)  # fmt: skip
def test_a_finished_run_stays_finished_also_when_its_files_are_touched(finished_pair: Run, tmp_path: Path) -> None:
    run = finished_pair.copy(tmp_path / "run")
    before = run.results()
    for arguments in ((), ("--touch",), (), ()):
        outcome = run.snakemake(*arguments)
        assert outcome.code == 0, outcome.text[-3000:]
        assert arguments or outcome.nothing_to_do, outcome.text[-3000:]
    assert run.results() == before


@pytest.mark.public_report(
    "snakemake 3559", saw="once the output of a checkpoint is newer, the rules below it run again endlessly",
    here="a newer output with the same content runs nothing again",
)  # fmt: skip
def test_a_newer_output_of_the_checkpoint_runs_nothing_again(finished_pair: Run, tmp_path: Path) -> None:
    run = finished_pair.copy(tmp_path / "run")
    for path in (run.folder / "results/dedup").iterdir():
        os.utime(path)
    assert run.snakemake().nothing_to_do and run.snakemake("-n").nothing_to_do


@pytest.mark.public_report(
    "snakemake 3879", saw="a deleted output of a checkpoint is not noticed, and a rule crashes that reads it",
    here="the checkpoint runs again, then what depends on its content, with the same bytes",
)  # fmt: skip
@pytest.mark.parametrize("name", ["dedup/copies.parquet", "dedup/kept.json", "dedup"])
def test_a_deleted_output_of_the_checkpoint_is_made_again(finished_pair: Run, tmp_path: Path, name: str) -> None:
    run = finished_pair.copy(tmp_path / "run")
    before = run.results()
    path = run.folder / "results" / name
    assert path.exists()
    subprocess.run(["rm", "-r", str(path)], check=True)
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert outcome.jobs["deduplicate"] == 1 and outcome.jobs["filter_frames"] == 0
    assert run.results() == before and run.snakemake("-n").nothing_to_do
