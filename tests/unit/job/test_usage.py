"""A job writes how long it took, and how much memory and CPU time, with those of the programs that it started."""

import subprocess
import sys
from pathlib import Path

from scripts.core.tsv import read_tsv
from tests._places import REPO

JOB = """
import subprocess, sys, time
sys.path.insert(0, {repo!r})
from scripts.job.start import start_job
start_job("logs/make/a.log")
held = bytearray(80_000_000)
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.5: pass"])
time.sleep(0.5)
{end}
"""


def test_a_job_writes_its_usage(tmp_path: Path) -> None:
    (tmp_path / "logs/make").mkdir(parents=True)
    for end, code in (("", 0), ("raise ValueError", 1)):
        done = subprocess.run([sys.executable, "-c", JOB.format(repo=str(REPO), end=end)], cwd=tmp_path, check=False)
        assert done.returncode == code
        (row,) = read_tsv(tmp_path / "benchmarks/make/a.tsv")
        assert 1 <= float(row["s"]) < 60 and row["h:m:s"].startswith("0:00:")
        assert 0.5 <= float(row["cpu_time"]) < 10 and 80 < float(row["max_rss"]) < 400


def test_the_seconds_in_which_a_job_waited_for_another_one_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "logs/make").mkdir(parents=True)
    end = "from scripts.job.usage import note_wait\nnote_wait(0.25)\nnote_wait(100)"
    subprocess.run([sys.executable, "-c", JOB.format(repo=str(REPO), end=end)], cwd=tmp_path, check=True)
    (row,) = read_tsv(tmp_path / "benchmarks/make/a.tsv")
    assert float(row["s"]) == 0 and float(row["cpu_time"]) >= 0.5


def test_a_job_without_a_place_for_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "logs/make").mkdir(parents=True)
    (tmp_path / "benchmarks").touch()
    text = JOB.format(repo=str(REPO), end="print('done')")
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")
