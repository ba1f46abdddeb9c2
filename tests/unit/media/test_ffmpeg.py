"""ffmpeg is told apart from the file it reads, and never outlives the job."""

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
from scripts.media.ffmpeg import MediaStream, pictures, running, verdict
from tests._clips import DEFAULTS
from tests.benchmarks.extract_frames import compare
from tests.benchmarks.extract_frames import make_clip as make_clip_of
from tests.conftest import REPO, MakeClip, pattern

ENDLESS = """
import sys, time
from scripts.media.ffmpeg import running
with running(["sh", "-c", "sleep 1000 & echo $$ $! >&2; sleep 1000"], 900) as run:
    while not run.said:
        time.sleep(0.01)
    print(run.said[0], flush=True)
    time.sleep(1000)
"""


def judge(script: str) -> str:
    with running(["sh", "-c", script], 60) as run:
        assert list(pictures(run)) == []
        return verdict(run)


def test_what_ffmpeg_says_of_the_file_is_the_verdict() -> None:
    assert judge("echo '[h264 @ 0x5f] [error] torn' >&2; exit 69") == "ffmpeg gave up: [h264] torn"
    assert judge("exit 3") == "ffmpeg gave up: exit code 3"
    assert judge("true") == ""


def test_a_crash_is_the_files_fault_and_a_kill_is_the_machines() -> None:
    assert judge("kill -SEGV $$") == f"ffmpeg gave up: exit code -{signal.SIGSEGV.value}"
    with pytest.raises(UserError, match="killed by signal 9"):
        judge("kill -9 $$")


def test_an_ffmpeg_without_the_filters_is_no_fault_of_the_video() -> None:
    with pytest.raises(UserError, match="this ffmpeg cannot be used: .fc#0. No such filter: 'estdif'"):
        judge("echo \"[fc#0] [error] No such filter: 'estdif'\" >&2; exit 8")


def test_the_log_of_endless_complaints_stays_short() -> None:
    with running(["sh", "-c", "yes '[error] again' | head -n 200000 >&2"], 60) as run:
        assert list(pictures(run)) == []
        verdict(run)
    assert len(run.said) == 50 and run.damage_seen


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which processes there are")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_job_that_is_stopped(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=REPO, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        shell, child = map(int, job.stdout.readline().split())
        assert not gone(shell) and not gone(child)
        os.kill(job.pid, sent)
        job.wait(10)
    stopped = [shell] if sent == signal.SIGKILL else [shell, child]  # nobody is left to tell the grandchild
    deadline = time.monotonic() + 5
    while not all(map(gone, stopped)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(map(gone, stopped))
    if not gone(child):
        os.kill(child, signal.SIGKILL)


def test_the_clock_stands_while_ffmpeg_is_kept_waiting() -> None:
    with running(["sleep", "60"], 1.0) as run:
        with run.held():
            time.sleep(2.5)
        assert not run.timed_out
        run.process.wait(10)
    assert run.timed_out


def test_the_bare_command_of_the_benchmark_writes_the_same_bytes(tmp_path: Path) -> None:
    said = compare(make_clip_of(tmp_path, 360, 3), 0.5, 1, tmp_path)
    assert said.startswith("360p.mp4 at 0.5 s: 6 equal JPEGs")


def test_a_picture_cut_off_is_not_handed_on(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("noisy.mkv", *pattern(1, size="640x360"), "-c:v", "ffv1")
    command = frames_command(
        MediaStream(media, 0, "matroska", 1.0, False),
        Clip(0, None),
        FrameSettings(**(DEFAULTS | {"interval_s": 0.04})),
        threads=1,
    )
    with running(command, 60) as run:
        whole = list(pictures(run))
    assert len(whole) == 25
    stream = tmp_path / "cut.nut"
    stream.write_bytes(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    with running(["head", "-c", str(stream.stat().st_size * 2 // 5), str(stream)], 60) as run:
        some = list(pictures(run))
    assert 5 <= len(some) <= 15 and some == whole[: len(some)]
