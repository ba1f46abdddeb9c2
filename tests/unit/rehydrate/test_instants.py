"""Frames at given times are found by one search, also where another container rounds their times differently."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from scripts.media.probe import SEEKABLE, probe_media
from scripts.rehydrate import instants
from scripts.rehydrate.instants import frames_at, select_expression
from tests._clips import extract, make_kind
from tests._published import OUTPUT
from tests.conftest import H264, MakeClip


def found(media: Path, times_ms: list[int]) -> dict[int, bytes]:
    facts = probe_media(media)
    source = MediaStream(media, facts.stream, facts.container, facts.duration_s, facts.container in SEEKABLE)
    frames = list(frames_at(source, Clip(0, None), times_ms, OUTPUT))
    return {frame.pts_ms: frame.jpeg for frame in frames if not isinstance(frame, str)}


def extracted(media: Path, folder: Path, every_n: int) -> dict[int, bytes]:
    options: dict[str, Any] = {"mode": "every_n", "every_n": every_n, "min_entropy_bits": 0}
    rows = extract(media, folder, **options)
    return {round(1000 * row["pts_s"]): (folder / "out" / row["frame"]).read_bytes() for row in rows}


def test_many_times_are_searched_in_parts(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instants, "TIMES_PER_PASS", 20)
    wanted = extracted(clip, tmp_path, 2)
    assert len(wanted) > 60 and found(clip, list(wanted)) == wanted


def test_no_command_is_longer_than_the_kernel_accepts() -> None:
    times = list(range(999_000_000, 999_000_000 + 40 * instants.TIMES_PER_PASS, 40))[: instants.TIMES_PER_PASS]
    assert len(select_expression(times)) < 120_000


@given(st.sets(st.integers(0, 5000), min_size=1, max_size=200).map(sorted), st.integers(0, 5000))
def test_the_search_tree_finds_each_time_and_no_other(times: list[int], pts: int) -> None:
    python = select_expression(times).replace("if(", "choose(")
    names = {"between": lambda x, low, high: int(low <= x <= high), "lt": lambda x, y: int(x < y), "pts": pts}
    found = eval(python, {"choose": lambda test, yes, no: yes if test else no} | names)  # noqa: S307
    near = [ms for ms in times if abs(ms - pts) <= 1]
    assert bool(found) == bool(near)


@pytest.mark.parametrize("off_ms", [-1, 1])
def test_times_may_be_off_by_a_rounding(make_clip: MakeClip, tmp_path: Path, off_ms: int) -> None:
    film = make_kind(make_clip, "film.mkv")
    moved = {ms + off_ms: jpeg for ms, jpeg in extracted(film, tmp_path, 10).items() if ms}
    assert len(moved) > 8 and found(film, list(moved)) == moved
    assert found(film, [ms + off_ms for ms in moved]) == {}


def test_a_frame_at_the_very_time_wins_over_its_neighbours(make_clip: MakeClip, tmp_path: Path) -> None:
    fast = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=1000:duration=0.2")
    media = make_clip("fast.mp4", *fast, *H264, "-bf", "0", "-video_track_timescale", "16000")
    assert found(media, [100]) == {100: extracted(media, tmp_path, 1)[100]}


def test_a_time_after_the_end_has_no_frame(clip: Path) -> None:
    assert found(clip, [90_000]) == {}
