"""End a download that takes too long or comes in too slowly, wherever in a library it hangs."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TICK_S = 0.25
PAGE_WINDOWS = 10


class Deadline(BaseException):
    """The time for a video is up; no handler in a library may swallow this."""


class TooSlow(BaseException):
    """Too few bytes came in; as Deadline, but another attempt may fare better."""


class Meter:
    """Count the bytes that come in, per window of time, while something is being fetched."""

    def __init__(self, min_bytes_per_s: float, window_s: float) -> None:
        """Demand so much in each window; 0 demands nothing."""
        self._least, self._window_s = min_bytes_per_s * window_s, window_s
        self._since: float | None = None
        self._before = self._bytes = 0
        self._page_end = math.inf

    def expect_page(self) -> None:
        """Wait for a site's description of a video, of unknown size: some windows long, and then no more."""
        self._page_end = time.monotonic() + PAGE_WINDOWS * self._window_s

    def got_page(self) -> None:
        """Wait for it no longer."""
        self._page_end = math.inf

    def start(self) -> None:
        """Begin a window, if none is running."""
        if self._since is None:
            self._since, self._before = time.monotonic(), self._bytes

    def stop(self) -> None:
        """Count no more: nothing is expected to come in."""
        self._since = None

    def count(self, total_bytes: int) -> None:
        """Note how many bytes have come in altogether; fewer than before if a file was begun anew."""
        if total_bytes < self._bytes:
            self._before = 0
        self._bytes = total_bytes

    def check(self) -> None:
        """Raise TooSlow at the end of a window in which too little came in."""
        if time.monotonic() > self._page_end:
            raise TooSlow(f"no description of the video within {PAGE_WINDOWS * self._window_s:g} s")
        if self._since is None or time.monotonic() < self._since + self._window_s:
            return
        got = self._bytes - self._before
        if got < self._least:
            rate = f"{got / self._window_s / 1000:.1f} kB/s over {self._window_s:g} s"
            raise TooSlow(f"{rate}, less than min_speed_kb_s = {self._least / self._window_s / 1000:g}")
        self._since, self._before = time.monotonic(), self._bytes


@contextmanager
def watched(seconds: float, meter: Meter) -> Iterator[None]:
    """Raise Deadline in this thread after so many seconds, or TooSlow when the meter says so.

    A timer's signal reaches stalls that no timeout of a library covers. It comes again and again, since Python drops
    an exception that is raised while it cleans up.
    """
    end = time.monotonic() + seconds

    def look(signum: int, frame: Any) -> None:
        if time.monotonic() >= end:
            raise Deadline
        meter.check()

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, min(TICK_S, max(seconds, 0.001)), TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        meter.stop()
        signal.signal(signal.SIGALRM, before)
