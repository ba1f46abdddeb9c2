"""Processes are killed at random moments and disks are full: a second run gives the same results as an undisturbed one.

These are a few cases. python -m tests.benchmarks.crashes (part of make bench) goes through all.
"""

import os
import random
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests._crash import STAGES, Aftermath, await_jobs, await_process, crash, fill_up, go_on, kill, start
from tests._run import Run

JOBS = 8  # of a run with one clip


def assert_healed(seen: Aftermath) -> None:
    assert seen.code_again == 0 and not seen.differing and not seen.left, seen


@pytest.mark.public_report(
    "snakemake 2919", saw="a killed run leaves a lock, and --unlock does not find the Snakefile",
    here="the message says to repeat the same command with --unlock, and the next run continues",
)  # fmt: skip
@pytest.mark.parametrize(("kind", "seed"), [("snakemake", 1), ("job", 2), ("group", 3), ("server", 4)])
def test_a_run_that_is_killed_comes_out_the_same_and_leaves_nothing(
    finished_clip: Run, fresh: Run, kind: str, seed: int
) -> None:
    chance = random.Random(seed)
    moment = (chance.randint(1, JOBS), chance.uniform(0, 1))
    if kind == "snakemake":
        shutil.rmtree(fresh.folder / "store")  # with the compiled model: this kill hits a job that builds it
    seen = crash(fresh, finished_clip, kind, signal.SIGKILL, moment)
    assert seen.code != 0 and (kind not in ("job", "server") or "a job was killed" in seen.said), seen
    assert_healed(seen)
    assert not seen.asked or seen.asked.startswith("reelsieve: "), "the lock was told of in plain words"


def test_ctrl_c_is_reported_as_a_stop_and_not_as_a_failure(finished_clip: Run, fresh: Run) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background commands ignore it
    started = start(fresh)
    signal.signal(signal.SIGINT, before)
    await_jobs(started, 1, "filter_frames")
    assert await_process(started, "job") and kill(started, "group", signal.SIGINT)
    said = started.log.read_text()
    ended = started.wait()
    said = ended.text[ended.text.index(said) :]
    assert "reelsieve: the run was stopped.\nFinished jobs are kept. To continue, run the same command" in said
    assert "Error" not in said and "ERROR" not in said and "failed" not in said, said
    assert_healed(go_on(ended, started.run, finished_clip, started.owner))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize("rule", ["extract_frames", "export_dataset"])
def test_a_full_disk_is_named_and_nothing_half_written_stays(finished_clip: Run, tmp_path: Path, rule: str) -> None:
    seen = fill_up(tmp_path / "disk", finished_clip, next(stage for stage in STAGES if stage.rule == rule))
    assert seen.code != 0 and "the disk is full" in seen.said and "free some space" in seen.said, seen
    assert_healed(seen)
