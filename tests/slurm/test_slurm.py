"""Both SLURM profiles on a real SLURM: the same bytes as on one machine, one GPU for one job, lost jobs done again."""

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests._run import Run
from tests.conftest import REPO
from tests.slurm._cluster import Submission, submissions
from tests.slurm.conftest import command, submit

pytestmark = pytest.mark.usefixtures("cluster")
AGGREGATES = {"rule_deduplicate": 1, "rule_export_dataset": 1, "rule_report": 1}
# `make test-slurm` runs this profile, too, to its end; each submission takes 11 CPU seconds.
UNTIL = () if os.environ.get("REELSIEVE_WHOLE") else ("--until", "filter_frames")


def by_kind(jobs: list[Submission]) -> Counter[str]:
    """Return how many submissions there are of each rule or group, whatever video or model they are for."""
    return Counter(job.comment.split("_wildcards")[0].split("-")[0] for job in jobs)


def assert_one_gpu_job_at_a_time(jobs: list[Submission]) -> None:
    with_gpu = [job for job in jobs if job.has_gpu]
    assert len(with_gpu) >= 2
    for before, after in itertools.pairwise(sorted(with_gpu, key=lambda job: job.began)):
        assert before.ended <= after.began, (before, after)


@pytest.mark.public_report(
    "snakemake/snakemake-executor-plugin-slurm 38", saw="job status query fails: accounting storage is disabled",
    here="`--slurm-status-command squeue` needs no database",
)  # fmt: skip
@pytest.mark.public_report(
    "snakemake/snakemake-executor-plugin-slurm 105", saw="the log file and the comment are not escaped for the shell",
    here="a run folder called `it's a (run)` gives the same bytes; names that sbatch would change are refused",
)  # fmt: skip
def test_a_submission_per_job_gives_the_bytes_of_a_local_run(finished_clip: Run, fresh: Run) -> None:
    fresh = Run(fresh.folder.rename(fresh.folder.parent / "it's a (run)"))  # a shell would take this apart
    fresh.write_config(fresh.read_config() | {"store": "a store"})  # without a compiled model
    outcome = submit(fresh, "slurm", *UNTIL)
    assert outcome.code == 0, outcome.text[-3000:]
    jobs = submissions(fresh.folder)
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert_one_gpu_job_at_a_time(jobs)
    first = ("rule_compile_model", "rule_download", "rule_extract_frames", "rule_filter_frames")
    rest = {} if UNTIL else AGGREGATES | dict.fromkeys(("rule_hash_frames", "rule_detect_objects"), 1)
    assert by_kind(jobs) == rest | dict.fromkeys(first, 1)
    made, wanted = fresh.results(), finished_clip.results()
    assert "filtered/night/filter.parquet" in made and made.keys() >= (set() if UNTIL else wanted.keys())
    assert made == {name: wanted[name] for name in made}
    again = fresh.snakemake("-n", *UNTIL)
    assert again.code == 0 and not again.jobs


def test_a_lost_submission_of_a_video_is_done_again_with_the_same_bytes(
    finished_pair: Run, pair: Run, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command(pair, "slurm-per-video"), cwd=pair.folder, stdout=log, stderr=log)
        lost = first_with(pair, "video-night", "logs/extract_frames/night.log")
        subprocess.run(["scancel", str(lost)], check=True)
        assert process.wait() == 0, (tmp_path / "log").read_text()[-3000:]
    jobs = submissions(pair.folder)
    assert [job.number for job in jobs if job.state != "COMPLETED"] == [lost]
    assert_one_gpu_job_at_a_time(jobs)
    assert by_kind(jobs) == AGGREGATES | {"rule_compile_model": 1, "rule_video": 3, "rule_labels": 2}
    assert pair.results() == finished_pair.results()


def first_with(run: Run, group: str, file: str) -> int:
    """Return the number of a submission once it has begun to write a file."""
    while True:
        jobs = [job for job in submissions(run.folder) if group in job.comment and job.state == "RUNNING"]
        if jobs and (run.folder / file).exists():
            return jobs[0].number
        time.sleep(0.1)


def test_two_lines_of_the_profile_move_downloads_to_the_submit_host_and_make_videos_share_a_detector(
    pair: Run, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    shutil.copytree(REPO / "profiles/slurm-per-video", profile)
    text = (profile / "config.yaml").read_text()
    edited = text.replace("  download_video: video\n", "").replace("  video: 1\n", "  video: 2\n")
    assert edited.count("\n") == text.count("\n") - 1
    (profile / "config.yaml").write_text(edited)
    outcome = submit(pair, str(profile), "--until", "hash_frames")
    assert outcome.code == 0, outcome.text[-3000:]
    assert outcome.text.count("localrule download_video:") == 2
    assert by_kind(submissions(pair.folder)) == {"rule_compile_model": 1, "rule_video": 1}
    logs = [log.read_text() for log in (pair.folder / ".snakemake").glob("detector-*.log")]
    assert [(log.count("loaded"), log.count("images in")) for log in logs] == [(1, 2)]


@pytest.mark.public_report(
    "snakemake/snakemake-executor-plugin-slurm 284", saw="a job is retried within its submission, with the same memory",
    here="it is tried once per submission, each with more memory",
)  # fmt: skip
def test_a_job_that_fails_is_submitted_again_with_more_memory(pair: Run) -> None:
    (pair.folder / "detector.pt").write_bytes(b"no weights")
    outcome = submit(pair, "slurm", "--until", "compile_model", "--retries", "1")
    assert outcome.code == 1 and "weights_sha256: detector.pt has" in outcome.text, outcome.text[-3000:]
    assert [job.memory for job in submissions(pair.folder)] == ["8000M", "16000M"]
    logs = [log.read_text() for log in (pair.folder / ".snakemake/slurm_logs").rglob("*.log")]
    assert [log.count("returned non-zero exit status 1") for log in logs] == [1, 1], "none is tried twice on its node"


@pytest.mark.public_report(
    "snakemake/snakemake-executor-plugin-slurm 397", saw="Ctrl-C cancels no job: scancel cannot reach the database",
    here="without a database, too, Ctrl-C cancels all submissions",
)  # fmt: skip
def test_ctrl_c_cancels_all_submissions_though_there_is_no_database(pair: Run, tmp_path: Path) -> None:
    pair.write_config(pair.read_config() | {"store": "a store"})  # compiling a model takes longer than copying it
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command(pair, "slurm"), cwd=pair.folder, stdout=log, stderr=log)
        first_with(pair, "rule_compile_model", "logs/compile_model")
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
    assert process.returncode == 1, (tmp_path / "log").read_text()[-3000:]
    assert {job.state for job in submissions(pair.folder)} <= {"CANCELLED", "COMPLETED"}
    assert not subprocess.run(["squeue", "-h"], capture_output=True, text=True, check=True).stdout
    assert pair.snakemake("-n").jobs["compile_model"] == 1, "the folder is not locked"
