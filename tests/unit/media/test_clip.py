"""The window of a clip begins at its start and ends before its end."""

import pytest

from scripts.media.clip import LAST_PTS_S, Clip, window


def inside(clip: Clip, t: float) -> bool:
    names = {"gte": lambda x, y: int(x >= y), "lt": lambda x, y: int(x < y), "t": t}
    return bool(eval(window(clip), {}, names))  # noqa: S307


@pytest.mark.parametrize(
    ("t", "expected"), [(1.49, False), (1.5 - 1e-7, True), (1.5, True), (3.99, True), (4.0, False), (9.0, False)]
)
def test_a_window_includes_its_start_and_excludes_its_end(t: float, expected: bool) -> None:
    assert inside(Clip(1.5, 4.0), t) is expected


@pytest.mark.parametrize("end_s", [None, 2e6])
def test_no_frame_has_a_time_of_more_than_nine_digits(end_s: float | None) -> None:
    assert inside(Clip(0, end_s), LAST_PTS_S - 0.001) and not inside(Clip(0, end_s), LAST_PTS_S)
