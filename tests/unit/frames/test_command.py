"""The command writes one JPEG per millisecond at most, with the bytes of a plain ffmpeg command."""

from pathlib import Path

import av
import pytest

from scripts.frames.command import frames_command
from scripts.frames.sampling import FrameSettings
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from tests._clips import DEFAULTS, extract
from tests.benchmarks.extract_frames import compare
from tests.benchmarks.extract_frames import make_clip as make_clip_of
from tests.conftest import H264, MakeClip, pattern


def command(**options: object) -> str:
    settings = FrameSettings(**(DEFAULTS | options))
    return " ".join(frames_command(MediaStream(Path("x"), 0, "mov", 6.0, False), Clip(0, None), settings, 1))


def test_the_plain_command_of_the_benchmark_writes_the_same_bytes(tmp_path: Path) -> None:
    line = compare(make_clip_of(tmp_path, 360, 3), 0.5, 1, tmp_path)
    assert line.startswith("360p.mp4 at 0.5 s: 6 equal JPEGs")


@pytest.mark.parametrize("rate", [1200, 4000])
def test_frames_within_a_millisecond_are_one(make_clip: MakeClip, tmp_path: Path, rate: int) -> None:
    fast = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={rate}:duration=0.5")
    media = make_clip(f"fast{rate}.mp4", *fast, *H264, "-bf", "0", "-video_track_timescale", "16000")
    rows = extract(media, tmp_path, mode="every_n", every_n=1, similar_bits=0)
    assert len(rows) == len({row["frame"] for row in rows}) >= 499
    assert {p.name for p in (tmp_path / "out").glob("*.jpg")} == {row["frame"] for row in rows if row["keep"]}


def test_equal_times_do_not_end_the_frames(make_clip: MakeClip, tmp_path: Path) -> None:
    twice = "setpts='(floor(N/10)*10+if(gt(mod(N,10),8),8,mod(N,10)))/25/TB'"
    media = make_clip("twice.mkv", *pattern(5), "-vf", twice, "-fps_mode", "passthrough", *H264, "-bf", "0")
    rows = extract(media, tmp_path, mode="every_n", every_n=1)
    with av.open(str(media)) as file:
        times = {frame.pts for frame in file.decode(video=0)}
    assert len(rows) == len(times) < 125


def test_only_keyframes_are_decoded_for_keyframes_and_only_a_budget_needs_cuts() -> None:
    assert "-skip_frame nokey" in command(mode="keyframes") and "-skip_frame" not in command(mode="interval")
    assert "scene_score" in command(mode="budget") and "scene_score" not in command(mode="scene")
