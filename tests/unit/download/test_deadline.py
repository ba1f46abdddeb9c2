"""Downloads that are too slow or take too long are stopped."""

import threading
import time

import pytest

from scripts.download import deadline
from scripts.download.deadline import Deadline, Meter, TooSlow, watched


def test_a_stall_ends_at_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(Deadline), watched(0.3, Meter(0, 60)):
        threading.Event().wait(30)
    assert 0.3 <= time.monotonic() - began < 5


def test_code_that_swallows_errors_is_stopped_too() -> None:
    def swallow() -> None:
        try:
            time.sleep(10)
        except Exception:
            time.sleep(10)

    with pytest.raises(Deadline), watched(0.2, Meter(0, 60)):
        swallow()


def test_no_timer_is_left() -> None:
    with watched(0.3, Meter(0, 60)):
        pass
    time.sleep(0.5)


class Clock:
    """A clock that tests set."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(deadline, "time", made)
    return made


def test_too_few_bytes_in_a_window_are_too_slow(clock: Clock) -> None:
    meter = Meter(1000, 2)
    meter.start()
    meter.count(2000)
    clock.now_s = 2
    meter.check()
    meter.count(3999)
    clock.now_s = 3.9
    meter.check()
    clock.now_s = 4
    with pytest.raises(TooSlow, match=r"1.0 kB/s over 2 s, less than min_speed_kb_s = 1"):
        meter.check()


def test_a_stopped_or_unlimited_meter_is_never_too_slow(clock: Clock) -> None:
    stopped, unlimited = Meter(1000, 2), Meter(0, 2)
    unlimited.start()
    stopped.start()
    stopped.stop()
    clock.now_s = 100
    stopped.check()
    unlimited.check()


def test_a_restarted_file_counts_from_its_start(clock: Clock) -> None:
    meter = Meter(1000, 1)
    meter.count(50_000)
    meter.start()
    meter.count(1000)
    clock.now_s = 1
    meter.check()


def test_a_page_has_ten_windows_of_time(clock: Clock) -> None:
    meter = Meter(1000, 2)
    meter.expect_page()
    clock.now_s = 20
    meter.check()
    clock.now_s = 20.1
    with pytest.raises(TooSlow, match="no description of the video within 20 s"):
        meter.check()
    meter.got_page()
    meter.check()
