"""Videos stream through the stages: raw frames stay within their budget, and a killed run leaves nothing behind."""

import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import psutil

from tests._disk import sampled_bytes
from tests._run import PAIR, LayOut, Run
from tests.conftest import REPO, MakeClip, pattern

CLOCKS = ("video.json", ".snakemake_timestamp")  # what may differ between two runs


def detectors(run: Run) -> list[psutil.Process]:
    """Return the detectors of a run."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "scripts.warm.server" in words and any(str(run.folder) in word for word in words):
            found.append(process)
    return found


def wait_for(what: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(what())


def files(run: Run) -> dict[Path, bytes]:
    results = run.folder / "results"
    found = [path for path in results.rglob("*") if path.is_file() and path.name not in CLOCKS]
    return {path.relative_to(results): path.read_bytes() for path in found}


def test_a_killed_run_leaves_no_detector_and_the_next_one_ends_as_if_nothing_had_been(
    finished_pair: Run, demo: LayOut, tmp_path: Path
) -> None:
    run = demo(tmp_path / "run")
    run.write_table(*PAIR)
    process = subprocess.Popen(
        [*run.command(), "--cores", "2"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    filtered = run.folder / "results/filtered"
    assert wait_for(lambda: list(filtered.glob("*/filter.parquet")), 120)
    assert detectors(run)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_for(lambda: not detectors(run), 10)
    assert run.snakemake("--unlock").code == 0
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert files(run) == files(finished_pair)
    assert wait_for(lambda: not detectors(run), 5)


def test_raw_frames_stay_within_their_budget_while_the_filter_is_slow(
    demo: LayOut, tmp_path: Path, make_clip: MakeClip
) -> None:
    run = demo(tmp_path / "run")
    clip = make_clip("busy.mp4", *pattern(8, "640x360"), "-c:v", "mpeg4", "-q:v", "2")
    run.write_table(*[f"v{number}\t{clip}\t{number / 20}\t\ttrain\tcity" for number in range(6)])
    config = run.read_config() | {"frames": {"interval_s": 0.5, "similar_bits": -1}, "frames_budget_gb": 0.001}
    config["filter"] |= {"imgsz_px": 1280}  # sixteen times the work of 320
    run.write_config(config)
    with sampled_bytes(run.folder / "results/frames", "*/*.jpg") as seen:
        outcome = run.snakemake("--until", "filter_frames", "--cores", "16", "--resources", "gpu=1", "extract=4")
    assert outcome.code == 0 and outcome.jobs["filter_frames"] == 6, outcome.text[-3000:]
    assert 0.0005 < max(seen) / 1e9 <= 0.001, "two videos fit, four are extracted at a time"
    turns = sorted(turn_of(log) for log in (run.folder / "logs/filter_frames").glob("*.log"))
    assert all(before[1] < after[0] + 0.1 for before, after in pairwise(turns)), "one at a time is inferred"
    began = sorted(job_start(run, video) for video in (f"v{number}" for number in range(6)))
    assert sum(turns[n][1] > began[n + 1] for n in range(5)) >= 2, "the next one has begun before"


def turn_of(log: Path) -> tuple[float, float]:
    """Return when a filter job began and ceased to hold the device."""
    (found,) = re.findall(r"^(\S+ \S+) INFO held cpu for ([\d.]+) s", log.read_text(), re.MULTILINE)
    end = datetime.strptime(found[0], "%Y-%m-%d %H:%M:%S,%f").timestamp()
    return end - float(found[1]), end


def job_start(run: Run, video: str) -> float:
    """Return when the filter job of a video began to log."""
    line = (run.folder / f"logs/filter_frames/{video}.log").read_text().splitlines()[0]
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()


def test_one_video_at_a_time_goes_through_all_stages_before_the_next_is_fetched(demo: LayOut, tmp_path: Path) -> None:
    run = demo(tmp_path / "run")
    run.write_table(*[f"v{number}\tclips/night.mp4\t{number / 20}\t\ttrain\tcity" for number in range(4)])
    profile = ("--workflow-profile", str(REPO / "profiles/per-video"))
    assert run.snakemake("--until", "compile_model").code == 0, "a filter does not wait for its model"
    outcome = run.snakemake(*profile, "--until", "filter_frames", "--resources", "gpu=1", "video=1")
    assert outcome.code == 0, outcome.text[-3000:]
    started = re.findall(r"^(?:local)?rule (download|extract|filter)_\w+:", outcome.text, re.MULTILINE)
    assert started == ["download", "extract", "filter"] * 4
