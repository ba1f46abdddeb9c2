"""Missing parts of a video are noticed and named, and nothing else is."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.core.row_types import FrameRow
from scripts.frames.damage import Damage
from scripts.frames.extraction import Extraction, no_limit
from scripts.frames.missing import damage_note, end_note, starts_late, wanted_end_s
from scripts.frames.quality import KEPT
from scripts.frames.sampling import FrameSettings
from scripts.frames.single_pass import PassResult, frame_row
from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream
from tests._clips import DEFAULTS

SETTINGS = FrameSettings(**DEFAULTS)
WHOLE = Clip(0, None)


def extraction(duration_s: float | None = 6.0, clip: Clip = WHOLE, fps: float | None = 25.0) -> Extraction:
    source = MediaStream(Path("x"), 0, "mov", duration_s, seek=False)
    return Extraction("v", source, fps, clip, SETTINGS, Path("x"), no_limit)


def rows_at(*times_s: float) -> list[FrameRow]:
    return [frame_row("v", round(1000 * t), None, KEPT) for t in times_s]


@pytest.mark.parametrize(
    ("last_s", "duration_s", "end_s", "note"),
    [
        (5.0, 6.0, None, ""),
        (4.0, 6.0, None, ""),
        (3.9, 6.0, None, "the last frame is at 3.9 s of 6 s"),
        (2.0, 6.0, 3.0, ""),
        (2.0, None, None, ""),
        (2.0, None, 9.0, "the last frame is at 2 s of 9 s"),
        (7.0, 6.0, None, ""),
        (7.1, 6.0, None, "frames go on to 7.1 s, though the file says that it lasts 6 s"),
    ],
)
def test_an_early_or_late_end_has_a_note(
    last_s: float, duration_s: float | None, end_s: float | None, note: str
) -> None:
    job = extraction(duration_s, Clip(0, end_s))
    assert end_note(rows_at(last_s), job, False) == note
    scene = replace(job, settings=replace(SETTINGS, mode="scene"))
    assert end_note(rows_at(last_s), scene, False) == (note if "go on" in note else "")


def test_a_slow_video_may_end_two_frames_early() -> None:
    assert end_note(rows_at(0.0), extraction(9.0, fps=0.2), False) == ""
    assert end_note(rows_at(0.0), extraction(11.0, fps=0.2), False) == "the last frame is at 0 s of 11 s"


def test_a_video_without_frames_says_how_long_it_is() -> None:
    assert end_note([], extraction(6.0, Clip(60, None)), True) == "no frame from 60 s on: the video lasts 6.0 s"
    assert end_note([], extraction(None), True).endswith("the video lasts an unknown number of s")


@pytest.mark.parametrize(
    ("first_s", "fps", "late"),
    [(2.08, 25.0, False), (2.09, 25.0, True), (2.1, None, False), (2.11, None, True), (3.0, 2.0, False)],
)
def test_a_start_is_late_after_two_frames(first_s: float, fps: float | None, late: bool) -> None:
    job = extraction(9.0, Clip(2.0, None), fps)
    assert starts_late(rows_at(first_s), job) is late
    assert not starts_late(rows_at(first_s), replace(job, settings=replace(SETTINGS, mode="keyframes")))
    assert starts_late([], job)


@pytest.mark.parametrize(
    ("damage", "limit", "note"),
    [
        (Damage(9, frozenset({1, 2}), 6000), "", "2 of 9 pictures of the file are damaged"),
        (Damage(9, frozenset(), 5000), "", ""),
        (Damage(9, frozenset(), 4990), "", "ffmpeg complains: torn; the last picture is at 4.99 s of 6 s"),
        (Damage(9, frozenset(), 4990), "stopped", ""),
    ],
)
def test_damage_has_a_note(damage: Damage, limit: str, note: str) -> None:
    assert damage_note(damage, extraction(), PassResult([], [], limit, "", "torn"), False) == note


def test_a_whole_file_may_show_its_last_picture_for_long() -> None:
    result = PassResult([], [], "", "", "torn")
    assert damage_note(Damage(9, frozenset(), 1000), extraction(), result, True) == ""
    assert damage_note(Damage(9, frozenset({1}), 1000), extraction(), result, True).endswith("at 1 s of 6 s")
    assert end_note(rows_at(1.0), extraction(), True) == ""
    assert end_note(rows_at(7.1), extraction(), True).startswith("frames go on")


def test_a_clip_within_a_picture_says_so() -> None:
    note = "no picture begins between 2 s and 4 s: an earlier one is shown on"
    assert end_note([], extraction(6.0, Clip(2, 4)), True) == note == end_note([], extraction(None, Clip(2, 4)), False)
    assert end_note([], extraction(6.0, Clip(7, 8)), True) == "no frame from 7 s on: the video lasts 6.0 s"


def test_the_wanted_part_ends_with_the_video_or_its_clip() -> None:
    assert wanted_end_s(extraction(6.0, Clip(0, 4.0))) == 4.0
    assert wanted_end_s(extraction(6.0, Clip(0, 8.0))) == 6.0
    assert wanted_end_s(extraction(None)) is None
