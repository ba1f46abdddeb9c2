"""What a run costs grows with its videos and no faster, and a large table can be worked off in parts."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests._run import Run
from tests.benchmarks._stubs import lay_out_videos, list_videos, stubbed_checkout
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


def in_shards_of(checkout: Path, folder: Path, most: int) -> Path:
    """Return a copy of a checkout whose shards hold at most `most` videos on average."""
    shutil.copytree(checkout, folder)
    file = folder / "scripts/run/shards.py"
    text, count = re.subn(r"^MOST_VIDEOS = 100\b", f"MOST_VIDEOS = {most}", file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)
    return folder


@pytest.fixture(scope="module")
def sharded(stubbed: Path, whole: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of the same seven videos in several shards."""
    folder = tmp_path_factory.mktemp("sharded")
    run = lay_out(folder / "run", in_shards_of(stubbed, folder / "checkout", 2), 7)
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    return run


def but_gathered(run: Run) -> dict[str, bytes]:
    return {name: content for name, content in run.results().items() if not name.startswith("gathered/")}


def test_the_number_of_shards_changes_no_result(whole: Run, sharded: Run) -> None:
    assert but_gathered(sharded) == but_gathered(whole)
    assert len(list((whole.folder / "results/gathered/videos").iterdir())) == 1
    assert len(list((sharded.folder / "results/gathered/videos").iterdir())) == 4


def test_an_added_video_is_gathered_with_its_own_shard_alone(sharded: Run, tmp_path: Path) -> None:
    run = sharded.copy(tmp_path / "run")
    list_videos(run.folder, 8)
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    once = {"download_video", "extract_frames", "filter_frames", "hash_frames", "gather_videos", "deduplicate"}
    once |= {"detect_objects", "gather_detections", "export_dataset", "record_provenance", "report"}
    assert outcome.jobs == dict.fromkeys(once, 1)
    assert run.snakemake().nothing_to_do


@pytest.mark.parametrize(
    ("rule", "output", "made"),
    [
        ("download_video", "results/download/{}/video.json", "video.json"),
        ("extract_frames", "results/frames/{}", "frames"),
        ("filter_frames", "results/filtered/{}", "filtered"),
        ("hash_frames", "results/hashes/{}", "hashes"),
        ("detect_objects", "results/detections/{}.parquet", "detections.parquet"),
    ],
)
def test_the_output_of_a_failed_job_is_made_by_the_next_run(
    sharded: Run, tmp_path: Path, rule: str, output: str, made: str
) -> None:
    run, video = sharded.copy(tmp_path / "run"), "v00003"
    path, before = run.folder / output.format(video), run.results()
    (run.folder / f"made/{video}/{made}").rename(tmp_path / "away")
    failed = run.snakemake(output.format(video), "--forcerun", rule)
    assert failed.code == 1 and not path.exists(), "a failed job leaves nothing"
    (tmp_path / "away").rename(run.folder / f"made/{video}/{made}")
    outcome = run.snakemake()
    assert outcome.code == 0 and outcome.jobs[rule] == 1, outcome.text[-3000:]
    assert outcome.jobs["deduplicate"] == (rule != "detect_objects") and outcome.jobs["export_dataset"] == 1
    assert set(outcome.jobs.values()) == {1}, outcome.jobs
    assert run.results() == before and run.snakemake().nothing_to_do


def test_no_job_has_the_files_of_all_videos_as_inputs(stubbed: Path, tmp_path: Path) -> None:
    """Snakemake looks for each of them among all jobs that made them: with all videos, that is a square."""
    run = lay_out(tmp_path / "run", in_shards_of(stubbed, tmp_path / "checkout", 5), 60)
    planned = run.snakemake("-n")
    inputs = [len(line.split(", ")) for line in re.findall(r"^    input: (.*)$", planned.text, re.MULTILINE)]
    assert len(inputs) > 4 * 60 and max(inputs) < 60, planned.text[-3000:]
    assert planned.jobs["gather_videos"] == planned.jobs["gather_detections"] == 16
