"""What a run costs grows with its videos and no faster, and a large table can be worked off in parts."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests._run import Run
from tests.benchmarks._stubs import lay_out_videos, stubbed_checkout
from tests.conftest import REPO

# As `python -m cProfile -m snakemake` does, but without the calls of its imports.
PROFILED = """
import cProfile, pstats
from snakemake.cli import main
profile = cProfile.Profile()
try:
    profile.runcall(main)
except SystemExit as end:
    assert not end.code
print(pstats.Stats(profile).total_calls)
"""


@pytest.fixture(scope="module")
def stubbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout whose stages per video copy what was made before."""
    return stubbed_checkout(tmp_path_factory.mktemp("stubbed") / "checkout")


@pytest.fixture(scope="module")
def whole(stubbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of seven videos."""
    run = lay_out(tmp_path_factory.mktemp("whole") / "run", stubbed, 7)
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    return run


def lay_out(folder: Path, checkout: Path, count: int) -> Run:
    lay_out_videos(folder, count)
    return Run(folder, checkout)


def calls_of_planning(run: Run) -> int:
    """Return how many Python calls a dry run makes."""
    command = [sys.executable, "-c", PROFILED, *run.command()[3:], "-n", "-q", "--cores", "2"]
    same_order = os.environ | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=run.folder, env=same_order, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])


def records(run: Run) -> dict[tuple[str, str], Any]:
    """Return parameters and inputs of each finished job as Snakemake keeps them, by rule and output."""
    found = {}
    for path in (run.folder / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            kept = json.loads(path.read_text())
            output = base64.b64decode(path.name).decode()
            found[kept["rule"], output] = (kept["params"], kept["input"])
    return found


def test_each_further_video_takes_as_many_calls_to_plan_as_the_one_before(stubbed: Path, tmp_path: Path) -> None:
    few, more, most = (calls_of_planning(lay_out(tmp_path / str(count), stubbed, count)) for count in (20, 40, 60))
    assert most - more < 1.008 * (more - few), (few, more, most)


def test_a_job_of_one_video_knows_nothing_of_the_others(stubbed: Path, whole: Run, tmp_path: Path) -> None:
    run = lay_out(tmp_path / "run", stubbed, 60)
    outcome = run.snakemake("results/hashes/v00001")
    assert outcome.code == 0, outcome.text[-3000:]
    few, many = records(whole), records(run)
    assert {rule for rule, _ in many} >= {"download_video", "extract_frames", "filter_frames", "hash_frames"}
    assert many == {job: few[job] for job in many}


def test_the_recipe_for_more_videos_gives_the_bytes_of_one_run(stubbed: Path, whole: Run, tmp_path: Path) -> None:
    parts = lay_out(tmp_path / "my-run", stubbed, 7)
    text = re.search(r"```sh[^\n]*\n(.*?)```", (REPO / "docs/many_videos.md").read_text(), re.DOTALL)
    assert text
    recipe = text[1].replace("-n 1000", "-n 4").replace("--cores 16", "--cores 2")
    recipe = recipe.replace("snakemake ", f"{sys.executable} -m snakemake -s {stubbed}/Snakefile ")
    done = subprocess.run(["bash", "-ec", recipe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert done.stderr.count("Complete log(s):") == 3, "two parts, and what follows from all"
    assert parts.results() == whole.results()
