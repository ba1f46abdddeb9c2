"""The progress of a run folder, read from its files."""

import json
import os
from pathlib import Path

import pytest

from scripts.core.layout import RESULTS, copies_path, filter_table, frames_table, kept_path, record_path
from scripts.core.schemas import FRAMES
from scripts.core.tables import write_table
from scripts.job.process import owner_name
from scripts.job.run_state import STATE
from scripts.run.stages import StageCounts
from scripts.run.status import VideoState, choose_rows, describe_totals, read_kept, read_run_state, video_state


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_record(video: str, status: str, message: str = "") -> None:
    path = record_path(RESULTS, video)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"status": status, "message": message}))


def state(video: str, stage: str, status: str = "ok", frames: int | None = None) -> VideoState:
    return {
        "video": video, "status": status, "stage": stage, "frames": frames, "passed": None, "kept": None, "message": ""
    }  # fmt: skip


def test_the_last_existing_file_is_the_progress_of_a_video() -> None:
    assert video_state("a", {}) == state("a", "waiting", status="")
    write_record("a", "ok")
    assert video_state("a", {}) == state("a", "downloaded")
    write_table(frames_table(RESULTS, "a"), [{"frame": "1.jpg"}] * 3, FRAMES)
    assert video_state("a", {}) == state("a", "extracted", frames=3)
    write_table(filter_table(RESULTS, "a"), [{"frame": "1.jpg"}] * 2, FRAMES)
    (filter_table(RESULTS, "a").parent / "1.jpg").touch()
    kept_path(RESULTS).parent.mkdir()
    kept_path(RESULTS).write_text(json.dumps({"a": {"frames": ["1.jpg"], "digest": "x"}}))
    found = video_state("a", read_kept())
    assert (found["stage"], found["frames"], found["passed"], found["kept"]) == ("filtered", 2, 1, 1)


def test_a_failed_video_is_lost_with_its_message() -> None:
    write_record("a", "blocked", "HTTP Error\n429")
    found = video_state("a", read_kept())
    assert (found["status"], found["stage"], found["message"]) == ("blocked", "lost", "HTTP Error 429")
    assert not copies_path(RESULTS).exists()


def test_running_failed_and_unfinished_videos_come_first() -> None:
    states = [
        state("done", "detected"), state("waits", "waiting"), state("half", "filtered"), state("lost", "lost"),
        state("runs", "detected"),
    ]  # fmt: skip
    assert choose_rows(states, {"runs"}, 5) == states
    chosen = choose_rows(states, {"runs"}, 4)
    assert [row["video"] for row in chosen] == ["runs", "lost", "half", "waits"]


def test_totals_count_statuses_and_frames() -> None:
    states = [state("a", "detected", frames=1200), state("b", "waiting", ""), state("c", "extracted", frames=3)]
    expected = "3 videos: 2 ok, 1 not downloaded, 1,203 frames, 0 passed, 0 kept"
    assert describe_totals(states) == expected


def test_the_state_of_a_killed_run_is_not_shown() -> None:
    assert read_run_state() == ("no run is going on", [])
    counts = StageCounts(lambda rule, video: 0)
    counts.plan({"report": 1})
    STATE.parent.mkdir()
    STATE.write_text(json.dumps({"run": owner_name(os.getpid()), "stages": counts.state(0.0)}))
    assert read_run_state() == ("a run is going on", counts.state(0.0))
    STATE.write_text(json.dumps({"run": "999999999.1", "stages": counts.state(0.0)}))
    sentence, stages = read_run_state()
    assert "was killed" in sentence and "run the same command" in sentence and stages == []
