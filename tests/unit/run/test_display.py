"""The stages of a run on a stream, and their state in a file."""

import io
import json
import os
import threading
import time
from pathlib import Path

import pytest

from scripts.job.process import owner_name
from scripts.job.run_state import STATE
from scripts.run import display as display_module
from scripts.run.display import Display
from scripts.run.stages import StageCounts


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StageCounts:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(display_module, "STATE_EVERY_S", 0.02)
    monkeypatch.setattr(display_module, "LINES_EVERY_S", 0.1)
    STATE.parent.mkdir()
    counts = StageCounts(lambda rule, video: 0)
    counts.plan({"hash_frames": 2, "deduplicate": 1})
    return counts


def wait_for(path: Path, there: bool = True) -> None:
    end = time.monotonic() + 10
    while path.exists() is not there and time.monotonic() < end:
        time.sleep(0.02)
    assert path.exists() is there


def test_only_stages_with_newly_ended_jobs_get_a_line(counts: StageCounts) -> None:
    stream, guard = io.StringIO(), threading.RLock()
    display = Display(counts, stream, redraw=False, guard=guard)
    display.open()
    with guard:
        counts.start(1, "hash_frames", "a", 0.0)
        counts.finish(1, 0.0)
    end = time.monotonic() + 10
    while not stream.getvalue() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)  # three times as long as between two lines
    display.show("a message\x1b")
    display.close()
    assert [line.split(",")[0] for line in stream.getvalue().splitlines()] == ["hash_frames: 1 of 2", "a message "]


def test_the_state_names_the_run_until_the_display_closes(counts: StageCounts) -> None:
    display = Display(counts, io.StringIO(), redraw=False, guard=threading.RLock())
    display.open()
    wait_for(STATE)
    state = json.loads(STATE.read_text())
    assert state["run"] == owner_name(os.getpid())
    assert [stage["name"] for stage in state["stages"]] == ["hash_frames", "deduplicate"]
    display.close()
    assert not STATE.exists()


def test_a_closed_display_stays_closed(counts: StageCounts) -> None:
    stream = io.StringIO()
    display = Display(counts, stream, redraw=True, guard=threading.RLock())
    display.close()
    display.open()
    display.show("a message")
    assert stream.getvalue() == "a message\n" and not STATE.exists()


def test_a_terminal_shows_messages_above_the_stages(counts: StageCounts) -> None:
    stream = io.StringIO()
    display = Display(counts, stream, redraw=True, guard=threading.RLock())
    display.open()
    display.show("a message")
    display.close()
    text = stream.getvalue()
    assert "a message" in text and "hash_frames" in text and "hash_frames: " not in text
