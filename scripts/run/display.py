"""Show the stages of a run: redrawn in a terminal, as plain lines elsewhere. Keep their state in a file."""

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from scripts.core.characters import printable_lines
from scripts.core.files import write_json
from scripts.job.process import owner_name
from scripts.job.run_state import STATE
from scripts.run.stages import RunState, StageCounts, describe_stage

if TYPE_CHECKING:
    from scripts.run.screen import Screen

LINES_EVERY_S, STATE_EVERY_S = 20.0, 2.0


class Display:
    """The stages and messages of a run on a stream."""

    def __init__(self, counts: StageCounts, stream: TextIO, redraw: bool, guard: threading.RLock) -> None:
        """`redraw` needs a terminal; without it, lines are added. `counts` change only while `guard` is held."""
        self._counts = counts
        self._stream = stream
        self._redraw = redraw
        self._guard = guard
        self._opened = False
        self._closed = threading.Event()
        self._screen: Screen | None = None
        self._last_message = ""
        self._last_ended: dict[str, int] = {}  # per stage, the jobs that had ended when its line was last written
        self._has_state = False

    def open(self) -> None:
        """Begin to show the stages, unless they are shown already or were closed."""
        if self._opened or self._closed.is_set():
            return
        if self._redraw:
            from scripts.run.screen import Screen  # not at the top: it imports rich, which only a terminal needs

            self._screen = Screen(self._counts, self._stream)
        self._opened = True
        threading.Thread(target=self._keep_up_to_date, daemon=True).start()

    def close(self) -> None:
        """Show the stages for the last time, and delete the file with their state."""
        self._closed.set()
        self._write_lines()
        with self._guard:
            if self._has_state:
                STATE.unlink(missing_ok=True)
        if self._screen:
            self._screen.stop()
            self._screen = None

    def show(self, message: str) -> None:
        """Write a message above the stages, unless it repeats the last one."""
        text = printable_lines(message)
        if not text.strip() or text == self._last_message:  # a run that is stopping repeats its message each second
            return
        self._last_message = text
        if self._screen:
            self._screen.show(text)
        else:
            self._stream.write(text + "\n")
            self._stream.flush()

    def _keep_up_to_date(self) -> None:
        """Write the state for `make status` and, without a terminal, lines on the stages."""
        written_s = time.monotonic()
        while not self._closed.wait(STATE_EVERY_S):
            with self._guard, suppress(OSError):  # on a full disk, the jobs report it
                if not self._closed.is_set():
                    self._write_state()
            if time.monotonic() >= written_s + LINES_EVERY_S:
                written_s = time.monotonic()
                self._write_lines()

    def _write_state(self) -> None:
        state: RunState = {"run": owner_name(os.getpid()), "stages": self._counts.state(time.monotonic())}
        write_json(STATE, state)
        self._has_state = True

    def _write_lines(self) -> None:
        """Write a line on each stage in which jobs have ended since its last line."""
        if self._redraw or not self._opened:
            return
        with self._guard:
            for stage in self._counts.stages():
                ended = stage.done + len(stage.failed)
                if ended != self._last_ended.get(stage.name, 0):
                    self._last_ended[stage.name] = ended
                    self.show(describe_stage(stage, time.monotonic()))
