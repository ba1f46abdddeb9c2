"""Run a command in a terminal and see what a person would."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte
from rich.console import Console
from rich.text import Text

ROWS, COLUMNS = 50, 110


@dataclass
class Seen:
    """How a command ended, what the terminal showed then, and once while it ran."""

    code: int
    screen: Any
    text: str
    meanwhile: str


def run_in_terminal(
    command: Sequence[str], folder: Path, look: Callable[[str], str] = lambda _: "", timeout_s: float = 300
) -> Seen:
    """Run a command in a terminal of its own; what `look` returns of a screen first that is not empty is kept."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    meanwhile, end = "", time.monotonic() + timeout_s
    try:
        while time.monotonic() < end:
            ready, _, _ = select.select([ours], [], [], 0.2)
            if ready:
                data = b""
                with suppress(OSError):  # the last process that held the terminal is gone
                    data = os.read(ours, 65536)
                if not data:
                    break
                stream.feed(data)
            meanwhile = meanwhile or look(shown(screen))
        process.wait(max(1, end - time.monotonic()))
    finally:
        os.close(ours)
        process.kill()  # only what did not end in time
    return Seen(process.wait(), screen, shown(screen), meanwhile)


def shown(screen: Any) -> str:
    """Return the lines of a screen."""
    return "\n".join(line.rstrip() for line in screen.display).rstrip()


def draw(screen: Any, title: str, first: str, last: str) -> str:
    """Return a picture of a screen, from the line that begins with `first` to the one with `last`, as SVG."""
    lines = shown(screen).splitlines()
    begins, ends = (next(n for n, line in enumerate(lines) if line.startswith(word)) for word in (first, last))
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    for row in range(begins, ends + 1):
        line = Text(no_wrap=True)
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            colour = cell.fg if cell.fg in ("red", "green", "cyan", "blue") else "default"
            line.append(cell.data, style=f"{'bold ' if cell.bold else ''}{colour}")
        console.print(line)
    return console.export_svg(title=title, unique_id="terminal")
