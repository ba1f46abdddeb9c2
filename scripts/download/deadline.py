"""Stop a download that takes too long, is too slow or fills the memory, wherever in a library it is."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.download.bounds import memory_bytes

TICK_S = 0.25
PAGE_WINDOWS = 10
MOST_MEMORY_BYTES = 600_000_000  # that pages, playlists and segments may add to this process


class Deadline(BaseException):
    """The time for a video is up. A BaseException, because libraries catch Exception."""


class TooSlow(BaseException):
    """Too few bytes arrived; another attempt may be faster."""


class TooBig(BaseException):
    """A page or playlist takes too much memory once it is read, such as one that names millions of segments."""


class Meter:
    """Count the bytes that arrive per window of time during a download."""

    def __init__(self, min_bytes_per_s: float, window_s: float) -> None:
        """Set the lowest speed (0: no limit) and the length of a window."""
        self._least, self._window_s = min_bytes_per_s * window_s, window_s
        self._since: float | None = None
        self._before = self._bytes = 0
        self._page_end = math.inf
        self._most_memory = math.inf

    def bound_memory(self) -> None:
        """Limit what this process may take from now on, until `release`."""
        self._most_memory = memory_bytes() + MOST_MEMORY_BYTES

    def release(self) -> None:
        """Remove all limits, because nothing is read from the site any more."""
        self.stop()
        self.got_page()
        self._most_memory = math.inf

    def expect_page(self) -> None:
        """Limit the time for a site's page, whose size is unknown, to PAGE_WINDOWS windows."""
        self._page_end = time.monotonic() + PAGE_WINDOWS * self._window_s

    def got_page(self) -> None:
        """Remove the limit of expect_page."""
        self._page_end = math.inf

    def start(self) -> None:
        """Start a window if none is running."""
        if self._since is None:
            self._since, self._before = time.monotonic(), self._bytes

    def stop(self) -> None:
        """Stop the window, because no bytes are expected."""
        self._since = None

    def count(self, total_bytes: int) -> None:
        """Set the total of bytes; it is smaller than before if a file was restarted."""
        if total_bytes < self._bytes:
            self._before = 0
        self._bytes = total_bytes

    def check(self) -> None:
        """Raise TooBig if pages took too much memory, TooSlow if one is late or a window ends with too few bytes."""
        if self._most_memory < math.inf and memory_bytes() > self._most_memory:
            raise TooBig(f"its page or playlist takes more than {MOST_MEMORY_BYTES / 1e6:.0f} MB of memory")
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
    """Raise Deadline in this thread after `seconds`, or what the meter raises.

    A timer's signal also interrupts stalls without a timeout. It repeats, because Python drops an exception that is
    raised in a destructor.
    """
    end = time.monotonic() + seconds

    def on_tick(signum: int, frame: Any) -> None:
        if time.monotonic() >= end:
            raise Deadline
        meter.check()

    before = signal.signal(signal.SIGALRM, on_tick)
    signal.setitimer(signal.ITIMER_REAL, min(TICK_S, max(seconds, 0.001)), TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        meter.stop()
        signal.signal(signal.SIGALRM, before)
