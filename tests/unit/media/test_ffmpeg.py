"""Faults of the file differ from those of the machine, and ffmpeg never outlives the job."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.frames.command import frames_command
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, failure_of, jpeg_frames, running
from tests._clips import DEFAULTS
from tests.conftest import REPO, MakeClip, pattern

ENDLESS = """
import sys, time
from scripts.media.ffmpeg import running
with running(["sh", "-c", "sleep 1000 & echo $$ $! >&2; sleep 1000"], 900) as run:
    while not run.log_lines:
        time.sleep(0.01)
    print(run.log_lines[0], flush=True)
    time.sleep(1000)
"""


def failure(script: str) -> str:
    with running(["sh", "-c", script], 60) as run:
        assert list(jpeg_frames(run)) == []
        return failure_of(run)


def test_the_first_error_of_ffmpeg_is_why_it_failed() -> None:
    assert failure("echo '[h264 @ 0x5f] [error] torn' >&2; exit 69") == "ffmpeg gave up: [h264] torn"
    assert failure("exit 3") == "ffmpeg gave up: exit code 3"
    assert failure("true") == ""


def test_a_crash_is_the_fault_of_the_file_and_a_kill_is_not() -> None:
    assert failure("kill -SEGV $$") == f"ffmpeg gave up: exit code -{signal.SIGSEGV.value}"
    with pytest.raises(UserError, match="killed by signal 9"):
        failure("kill -9 $$")


def test_an_incomplete_build_is_no_fault_of_the_video() -> None:
    with pytest.raises(UserError, match="this build of ffmpeg is incomplete: .fc#0. No such filter: 'estdif'"):
        failure("echo \"[fc#0] [error] No such filter: 'estdif'\" >&2; exit 8")


def test_an_endless_log_stays_short() -> None:
    with running(["sh", "-c", "yes '[error] again' | head -n 200000 >&2"], 60) as run:
        assert list(jpeg_frames(run)) == []
        failure_of(run)
    assert len(run.log_lines) == 50 and run.damage_seen


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the processes")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_job_that_is_stopped(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=REPO, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        shell, child = map(int, job.stdout.readline().split())
        assert not gone(shell) and not gone(child)
        os.kill(job.pid, sent)
        job.wait(10)
    stopped = [shell] if sent == signal.SIGKILL else [shell, child]  # nothing is left to stop the grandchild
    deadline = time.monotonic() + 5
    while not all(map(gone, stopped)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(map(gone, stopped))
    if not gone(child):
        os.kill(child, signal.SIGKILL)


def test_waiting_does_not_count_towards_the_deadline() -> None:
    with running(["sleep", "60"], 1.0) as run:
        with run.paused_clock():
            time.sleep(2.5)
        assert not run.timed_out
        run.process.wait(10)
    assert run.timed_out


def test_a_jpeg_that_is_cut_off_is_left_out(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("noisy.mkv", *pattern(1, size="640x360"), "-c:v", "ffv1")
    command = frames_command(
        MediaStream(media, 0, "matroska", 1.0, False),
        Clip(0, None),
        FrameSettings(**(DEFAULTS | {"interval_s": 0.04})),
        threads=1,
    )
    with running(command, 60) as run:
        whole = list(jpeg_frames(run))
    assert len(whole) == 25
    stream = tmp_path / "cut.nut"
    stream.write_bytes(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    with running(["head", "-c", str(stream.stat().st_size * 2 // 5), str(stream)], 60) as run:
        some = list(jpeg_frames(run))
    assert 5 <= len(some) <= 15 and some == whole[: len(some)]
