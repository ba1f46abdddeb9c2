"""Every mode extracts exactly the right frames, by their true times, from every kind of video."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.frames.sampling import candidate_interval_s, spread
from scripts.media.clip import Clip
from tests._clips import KINDS, Shown, extract, make_kind, shown_in
from tests.conftest import H264, MakeClip, pattern

VFR = ("-vf", "select='not(mod(n,7))+lt(n,20)'", "-fps_mode", "vfr")
Truth = Callable[[Sequence[Shown]], Sequence[Shown]]


def at_interval(shown: Sequence[Shown], interval_s: float, start_s: float = 0.0) -> list[Shown]:
    taken: dict[int, Shown] = {}
    for frame in shown:
        taken.setdefault(int((frame.time_s - start_s) / interval_s + 1e-6), frame)
    return list(taken.values())


MODES: dict[str, tuple[dict[str, Any], Truth]] = {
    "interval": ({"interval_s": 0.7}, lambda shown: at_interval(shown, 0.7)),
    "every_n": ({"every_n": 9}, lambda shown: shown[::9]),
    "keyframes": ({}, lambda shown: [f for f in shown if f.key]),
    "scene": ({}, lambda shown: [f for f in shown if f.begins_shot]),
}


def times_ms(rows: list[dict[str, Any]]) -> list[int]:
    return [round(1000 * row["pts_s"]) for row in rows]


def ms(shown: Sequence[Shown]) -> list[int]:
    return [int(1000 * f.time_s + 0.5) for f in shown]


@pytest.mark.public_report(
    "PySceneDetect 168", saw="times are wrong where the frame rate varies",
    here="times are those of the decoded frames, for each mode and each kind of file",
)  # fmt: skip
@pytest.mark.public_report(
    "nerfstudio 2413", saw="many more frames than the video has, because frames are repeated for a constant rate",
    here="each frame is extracted at most once",
)  # fmt: skip
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [*KINDS, "rotated.mp4"])
def test_each_mode_extracts_the_right_frames_of_each_kind(
    make_clip: MakeClip, tmp_path: Path, kind: str, mode: str
) -> None:
    media = make_kind(make_clip, kind)
    options, truth = MODES[mode]
    shown = shown_in(media)
    assert sum(frame.begins_shot for frame in shown) == 3
    rows = extract(media, tmp_path, mode=mode, **options)
    assert times_ms(rows) == ms(truth(shown))
    assert len(rows) >= (1 if (kind, mode) == ("plain.gif", "keyframes") else 3)  # deltas all but one
    assert sorted(p.name for p in (tmp_path / "out").glob("*.jpg")) == [f"{t:09d}.jpg" for t in times_ms(rows)]


@pytest.mark.public_report(
    "iejMac/video2dataset 299", saw="clips have 8 to 36 frames instead of 17",
    here="start_s and end_s give exactly the frames between them, in each container",
)  # fmt: skip
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["constant.mp4", "late.ts", "film.mkv", "hevc.mp4", "mpeg4.avi"])
def test_start_and_end_hold_in_each_mode(make_clip: MakeClip, tmp_path: Path, kind: str, mode: str) -> None:
    media = make_kind(make_clip, kind)
    options, _ = MODES[mode]
    inside = [frame for frame in shown_in(media) if 1.07 <= frame.time_s < 4.3]
    truth = {
        "interval": at_interval(inside, 0.7, 1.07),
        "every_n": inside[::9],
        "keyframes": [f for f in inside if f.key],
        "scene": [f for i, f in enumerate(inside) if f.begins_shot or i == 0],
    }
    rows = extract(media, tmp_path, mode=mode, start_s=1.07, end_s=4.3, **options)
    assert times_ms(rows) == ms(truth[mode])


@pytest.mark.parametrize("kind", [*KINDS, "rotated.mp4"])
@pytest.mark.parametrize("budget", [2, 3, 8])
def test_a_budget_is_spread_over_the_shots(make_clip: MakeClip, tmp_path: Path, kind: str, budget: int) -> None:
    media = make_kind(make_clip, kind)
    shown = shown_in(media)
    rows = [row for row in extract(media, tmp_path, mode="budget", budget=budget) if row["keep"]]
    assert len(rows) == budget
    assert set(times_ms(rows)) <= set(ms(shown))
    starts = ms([frame for frame in shown if frame.begins_shot])
    per_shot = [sum(a <= t < b for t in times_ms(rows)) for a, b in zip(starts, [*starts[1:], 10**9], strict=True)]
    last_shots = [4, 2, 2] if kind == "variable.mp4" else [3, 2, 3]  # its first shot lasts longer
    assert per_shot == {2: [1, 0, 1], 3: [1, 1, 1], 8: last_shots}[budget]
    assert len(list((tmp_path / "out").glob("*.jpg"))) == budget


def test_a_budget_extracts_exactly_these_frames(make_clip: MakeClip, tmp_path: Path) -> None:
    rows = extract(make_kind(make_clip, "constant.mp4"), tmp_path, mode="budget", budget=5)
    # Candidates are each 5 s / 20 and the cuts: in the first and last shot the 3rd and 7th of 8, else the 3rd of 5.
    assert times_ms([row for row in rows if row["keep"]]) == [520, 1520, 2520, 3520, 4520]
    assert {row["reason"] for row in rows if not row["keep"]} == {"over_budget"}


@pytest.mark.parametrize("mode", [*MODES, "budget"])
def test_max_frames_caps_each_mode(make_clip: MakeClip, tmp_path: Path, mode: str) -> None:
    media = make_kind(make_clip, "constant.mp4")
    options = MODES[mode][0] if mode in MODES else {"budget": 8}
    rows = extract(media, tmp_path, mode=mode, max_frames=2, **options)
    assert sum(row["keep"] for row in rows) == 2 == len(list((tmp_path / "out").glob("*.jpg")))


def test_max_frames_of_a_budget_are_spread_over_the_shots(make_clip: MakeClip, tmp_path: Path) -> None:
    rows = extract(make_kind(make_clip, "constant.mp4"), tmp_path, mode="budget", budget=5, max_frames=3)
    assert [row["pts_s"] for row in rows if row["keep"]] == pytest.approx([1, 2.5, 4], abs=0.6)


@given(
    interval_s=st.floats(0.03, 3).map(lambda v: round(v, 3)),
    start_s=st.floats(0, 5).map(lambda v: round(v, 2)),
    length_s=st.none() | st.floats(0.1, 8).map(lambda v: round(v, 2)),
    variable=st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interval_and_clip_extract_the_right_frames(
    make_clip: MakeClip, tmp_path_factory: pytest.TempPathFactory,
    interval_s: float, start_s: float, length_s: float | None, variable: bool,
) -> None:  # fmt: skip
    arguments = (*pattern(6), *VFR, *H264) if variable else (*pattern(6), "-bf", "2", *H264)
    media = make_clip("variable6.mp4" if variable else "constant6.mp4", *arguments)
    end_s = None if length_s is None else start_s + length_s
    rows = extract(media, tmp_path_factory.mktemp("x"), interval_s=interval_s, start_s=start_s, end_s=end_s)
    inside = [f for f in shown_in(media) if f.time_s >= start_s - 1e-6 and (end_s is None or f.time_s < end_s)]
    assert times_ms(rows) == ms(at_interval(inside, interval_s, start_s))


def test_containers_that_cannot_seek_lose_no_frame(make_clip: MakeClip, tmp_path: Path) -> None:
    media = make_clip("one_gop.ts", *pattern(6), "-g", "250", *H264, "-muxdelay", "1.4", "-output_ts_offset", "7")
    rows = extract(media, tmp_path, interval_s=0.5, start_s=2.3, end_s=5.0)
    assert times_ms(rows) == ms(at_interval([f for f in shown_in(media) if 2.3 <= f.time_s < 5], 0.5, 2.3))


@given(
    shots=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    budget=st.integers(1, 40),
)
def test_a_spread_is_fair(shots: list[int], budget: int) -> None:
    numbers = [shot for shot, length in enumerate(shots) for _ in range(length)]
    chosen = spread([float(i) for i in range(len(numbers))], numbers, budget)
    assert len(chosen) == len(set(chosen)) == min(budget, len(numbers)) and chosen == sorted(chosen)
    seats = [sum(numbers[i] == shot for i in chosen) for shot in range(len(shots))]
    assert all(seats) or (max(seats) == 1 and sum(seats) == budget)


def test_a_spread_of_nothing_is_nothing() -> None:
    assert spread([], [], 5) == []


@pytest.mark.parametrize(
    ("clip", "duration_s", "spacing_s"),
    [
        (Clip(0, None), 80.0, 1.0),
        (Clip(40, None), 80.0, 0.5),
        (Clip(0, 8), 80.0, 0.1),
        (Clip(0, None), None, 1.0),
        (Clip(90, None), 80.0, 1.0),
        (Clip(0, None), 0.04, 0.01),
    ],
)
def test_candidates_have_a_quarter_of_the_spacing_of_a_budget(
    clip: Clip, duration_s: float | None, spacing_s: float
) -> None:
    assert candidate_interval_s(20, clip, duration_s) == pytest.approx(spacing_s)
