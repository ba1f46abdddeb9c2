"""Run ffmpeg on a file that is not trusted and take the pictures that it writes, one by one, from memory."""

import ctypes
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import ffmpeg

from scripts.core.errors import UserError
from scripts.media.clip import Clip, window
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS, SEEKABLE, ffmpeg_exe, killed_message

NOISE = "deprecated pixel format used"  # said of every JPEG; the range is set
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
OWN_FAULTS = re.compile("Option not found|No such filter|Unrecognized option|Unknown encoder|Filter not found")
CUT = re.compile(r"frame:\d+ +pts:(\d+) |lavfi\.scene_score=")
LINE_BYTES = 4096
JPEG_END = b"\xff\xd9"
PR_SET_PDEATHSIG = 1
LOOK_S = 1.0  # at the clock
LAST_WORDS_S = 5.0  # to hear an ended ffmpeg out; a child of its own could keep its log open


@dataclass(frozen=True)
class JpegFrame:
    """A JPEG with its presentation time."""

    pts_ms: int
    jpeg: bytes


@dataclass
class Run:
    """An ffmpeg at work and what it says: the last lines of its log, cuts, whether there is damage, its first error."""

    process: subprocess.Popen[bytes]
    said: deque[str] = field(default_factory=lambda: deque(maxlen=50))
    cuts_ms: list[int] = field(default_factory=list)
    damage_seen: bool = False
    error: str = ""
    timed_out: bool = False
    stopped: bool = False
    listener: threading.Thread | None = None
    ends_at: float = math.inf  # on the monotonic clock

    def stop(self) -> None:
        """Kill the process group."""
        self.stopped = True
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the clock while ffmpeg is kept waiting."""
        left_s, self.ends_at = self.ends_at - time.monotonic(), math.inf
        try:
            yield
        finally:
            self.ends_at = time.monotonic() + left_s

    def stop_in_time(self, done: threading.Event) -> None:
        """Stop when the time is up, unless it is done before."""
        while not done.wait(min(max(0.0, self.ends_at - time.monotonic()), LOOK_S)):
            if time.monotonic() >= self.ends_at:
                self.timed_out = self.process.poll() is None
                self.stop()
                return


@dataclass(frozen=True)
class MediaStream:
    """A file to decode: which stream, and whether to seek to the start of the clip instead of decoding up to it."""

    media: Path
    stream: int
    container: str
    duration_s: float | None
    seek: bool


def decoded(source: MediaStream, clip: Clip, threads: int, skip_frame: str | None) -> Any:
    """Return the stream of a file's pictures in the window of a clip, brought to one size, since filters trust it."""
    seek_s = clip.start_s if source.seek else 0.0
    limits: dict[str, Any] = {"ss": f"{seek_s:.6f}"} if seek_s else {}
    if clip.end_s is not None:
        limits["t"] = f"{clip.end_s - seek_s + 1:.6f}"  # stops the decoder; the selection is exact
    if skip_frame:
        limits["skip_frame"] = skip_frame
    file = ffmpeg.input(
        f"file:{source.media.absolute()}", threads=threads, reinit_filter=0, **DECODE_OPTIONS, **OPEN_OPTIONS, **limits
    )
    return file[str(source.stream)].filter("scale", "iw", "ih").filter("select", window(clip))


def jpeg_command(chosen: Any, source: MediaStream, size_and_quality: tuple[int, int], threads: int) -> list[str]:
    """Return the command that writes chosen pictures to its standard output, as JPEGs in a NUT stream.

    Times are a player's: seconds after the start of the file, whatever timestamps it starts with; where they may
    start anew in the middle (transport streams) ffmpeg goes on counting. Pictures are deinterlaced by themselves,
    then brought to square pixels, the wanted size and JPEG's colour matrix.
    """
    max_side_px, jpeg_qscale = size_and_quality
    jpegs = _finished(chosen, max_side_px).output(
        "pipe:1",
        f="nut",
        enc_time_base="1:1000",
        fps_mode="passthrough",
        threads=threads,
        **{"c:v": "mjpeg", "q:v": jpeg_qscale},
    )
    quiet = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning"]
    quiet += ["-filter_complex_threads", str(threads)]
    times = ["-copyts", "-start_at_zero"] if source.container in SEEKABLE else []
    command: list[str] = jpegs.global_args(*quiet, *times).compile(cmd=ffmpeg_exe())
    return command


def _finished(stream: Any, max_side_px: int) -> Any:
    """Return a stream of pictures as they go into the JPEGs."""
    shrink = f"min(1,{max_side_px}/max(iw*sar,ih))"
    width = f"if(eq(sar*{shrink},1),iw,max(2,trunc(iw*sar*{shrink}/2)*2))"
    height = f"if(eq({shrink},1),ih,max(2,trunc(ih*{shrink}/2)*2))"
    return (
        stream.filter("estdif", mode="frame", deint="interlaced")
        .filter("scale", width, height, flags="bicubic", out_range="full", out_color_matrix="bt601")
        .filter("setsar", 1)
        .filter("format", "yuvj420p")
    )


@contextmanager
def running(command: list[str], deadline_s: float) -> Iterator[Run]:
    """Start a command in a process group of its own, which is gone when the block is left, however it is left."""

    def leave(signum: int, frame: Any) -> None:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, leave)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )
    run = Run(process, ends_at=time.monotonic() + deadline_s)
    assert process.stdout and process.stderr
    listener = threading.Thread(target=_listen, args=(process.stderr, run), daemon=True)
    done = threading.Event()
    alarm = threading.Thread(target=run.stop_in_time, args=(done,), daemon=True)
    run.listener = listener
    try:
        listener.start()
        alarm.start()
        yield run
    finally:
        done.set()
        run.stop()
        process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()
        signal.signal(signal.SIGTERM, before)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the job is killed, so that nothing decodes on for nobody."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _listen(stderr: IO[bytes], run: Run) -> None:
    while raw := stderr.readline(LINE_BYTES):
        line = re.sub(r" @ 0x[0-9a-f]+", "", raw.decode(errors="replace").strip())
        if not line or NOISE in line:
            continue
        if cut := CUT.match(line):
            run.cuts_ms += [int(cut[1])] if cut[1] else []
            continue
        run.said.append(line)
        if not run.error and ("[error]" in line or "[fatal]" in line):
            run.error = re.sub(r"\[(error|fatal)\] ", "", line)
        run.damage_seen = run.damage_seen or "[error]" in line or "orrupt" in line


def pictures(run: Run) -> Iterator[JpegFrame]:
    """Yield the pictures in the order of their times, as ffmpeg writes them."""
    import av

    assert run.process.stdout
    try:
        with av.open(run.process.stdout, format="nut", options={"probesize": "32", "analyzeduration": "0"}) as stream:
            for packet in stream.demux():
                jpeg = bytes(packet)
                if packet.pts is not None and jpeg.endswith(JPEG_END):  # else cut off with its ffmpeg
                    yield JpegFrame(round(packet.pts * packet.time_base * 1000), jpeg)
    except av.error.FFmpegError:  # ffmpeg ended before it wrote a header, or in the middle of a picture
        run.process.stdout.close()  # and if it did not, it ends now: verdict() says why


def verdict(run: Run) -> str:
    """Return why ffmpeg gave up on a file, or nothing.

    Raise UserError if somebody killed it, since the frames so far are then no result, or if this ffmpeg cannot do
    what it was told. A crash is the file's fault.
    """
    code = run.process.wait()
    if run.stopped or code == 0:
        return ""
    if run.listener:
        run.listener.join(LAST_WORDS_S)
    if OWN_FAULTS.search(run.error):
        raise UserError(f"this ffmpeg cannot be used: {run.error}: install a complete one, or imageio-ffmpeg")
    if code < 0 and -code not in CRASHES:
        raise UserError(killed_message(-code))
    return f"ffmpeg gave up: {run.error or f'exit code {code}'}"
