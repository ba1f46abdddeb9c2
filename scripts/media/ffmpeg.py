"""Run ffmpeg on a file that is not trusted, and read the JPEGs that it writes, one by one, in memory."""

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
from scripts.media.colour import ONLY_ZSCALE, Colour, relabelled, tone_mapped, untagged_matrix, without_rare_matrix
from scripts.media.jpeg import JPEG_END
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS, SEEKABLE, ffmpeg_exe, killed_message

NOISE = "deprecated pixel format used"  # logged for every JPEG, although the range is set
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
INCOMPLETE_BUILD = re.compile("Option not found|No such filter|Unrecognized option|Unknown encoder|Filter not found")
CUT = re.compile(r"frame:\d+ +pts:(\d+) |lavfi\.scene_score=")
LINE_BYTES = 4096
PR_SET_PDEATHSIG = 1
CHECK_S = 1.0  # between two checks of the deadline
LOG_WAIT_S = 5.0  # for the rest of the log of an ended ffmpeg; a child process could keep it open


@dataclass(frozen=True)
class JpegFrame:
    """A JPEG with its presentation time."""

    pts_ms: int
    jpeg: bytes


@dataclass
class FfmpegRun:
    """A running ffmpeg, and from its log: the last lines, cuts, whether the file is damaged, the first error."""

    process: subprocess.Popen[bytes]
    log_lines: deque[str] = field(default_factory=lambda: deque(maxlen=50))
    cuts_ms: list[int] = field(default_factory=list)
    damage_seen: bool = False
    error: str = ""
    timed_out: bool = False
    stopped: bool = False
    log_reader: threading.Thread | None = None
    ends_at: float = math.inf  # on the monotonic clock

    def stop(self) -> None:
        """Kill the process group."""
        self.stopped = True
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    @contextmanager
    def paused_clock(self) -> Iterator[None]:
        """Do not count the time of this block towards the deadline; ffmpeg waits meanwhile."""
        left_s, self.ends_at = self.ends_at - time.monotonic(), math.inf
        try:
            yield
        finally:
            self.ends_at = time.monotonic() + left_s

    def stop_at_deadline(self, done: threading.Event) -> None:
        """Stop at the deadline, unless `done` is set before."""
        while not done.wait(min(max(0.0, self.ends_at - time.monotonic()), CHECK_S)):
            if time.monotonic() >= self.ends_at:
                self.timed_out = self.process.poll() is None
                self.stop()
                return


@dataclass(frozen=True)
class MediaStream:
    """A file to decode, its video stream and colours.

    `seek`: seek to the start of the clip instead of decoding up to it.
    """

    media: Path
    stream: int
    container: str
    duration_s: float | None
    seek: bool
    colour: Colour = Colour()


def decoded_stream(source: MediaStream, clip: Clip, threads: int, skip_frame: str | None) -> Any:
    """Return a clip's decoded stream, scaled to one size because filters rely on that."""
    seek_s = clip.start_s if source.seek else 0.0
    limits: dict[str, Any] = {"ss": f"{seek_s:.6f}"} if seek_s else {}
    if clip.end_s is not None:
        limits["t"] = f"{clip.end_s - seek_s + 1:.6f}"  # only stops the decoder: the selection is exact
    if skip_frame:
        limits["skip_frame"] = skip_frame
    file = ffmpeg.input(
        f"file:{source.media.absolute()}", threads=threads, reinit_filter=0, **DECODE_OPTIONS, **OPEN_OPTIONS, **limits
    )
    stream = relabelled(file[str(source.stream)], source.colour)
    return stream.filter("scale", "iw", "ih").filter("select", window(clip))


def jpeg_command(chosen: Any, source: MediaStream, size_and_quality: tuple[int, int], threads: int) -> list[str]:
    """Return the command that writes the chosen frames to standard output, as JPEGs in a NUT stream.

    Times are those of a player: seconds after the start of the file, whatever its first timestamp. Where timestamps can
    restart in the middle (transport streams), ffmpeg counts on. Each frame is deinterlaced from its own fields, then
    scaled to square pixels and the wanted size, in JPEG's colours.
    """
    max_side_px, jpeg_qscale = size_and_quality
    jpegs = _scaled(chosen, max_side_px, source.colour).output(
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


def _scaled(stream: Any, max_side_px: int, colour: Colour) -> Any:
    """Return a stream deinterlaced and scaled for the JPEGs, in their colours."""
    shrink = f"min(1,{max_side_px}/max(iw*sar,ih))"
    width = f"if(eq(sar*{shrink},1),iw,max(2,trunc(iw*sar*{shrink}/2)*2))"
    height = f"if(eq({shrink},1),ih,max(2,trunc(ih*{shrink}/2)*2))"
    jpeg_colours = {"out_range": "full", "out_color_matrix": "bt601"}
    stream = stream.filter("estdif", mode="frame", deint="interlaced")
    tonemap = colour.hdr and colour.tonemap
    if tonemap or colour.matrix in ONLY_ZSCALE:
        convert = tone_mapped if tonemap else without_rare_matrix
        sized = convert(stream.filter("scale", width, height, flags="bicubic"), colour)
        stream = sized.filter("scale", "iw", "ih", **jpeg_colours)
    else:
        stream = stream.filter("scale", width, height, flags="bicubic", **untagged_matrix(colour), **jpeg_colours)
    return stream.filter("setsar", 1).filter("format", "yuvj420p")


@contextmanager
def running(command: list[str], deadline_s: float) -> Iterator[FfmpegRun]:
    """Run a command in its own process group, which is killed when the block ends, also by an error or SIGTERM."""

    def exit_on_sigterm(signum: int, frame: Any) -> None:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, exit_on_sigterm)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )
    run = FfmpegRun(process, ends_at=time.monotonic() + deadline_s)
    assert process.stdout and process.stderr
    log_reader = threading.Thread(target=_read_log, args=(process.stderr, run), daemon=True)
    done = threading.Event()
    watchdog = threading.Thread(target=run.stop_at_deadline, args=(done,), daemon=True)
    run.log_reader = log_reader
    try:
        log_reader.start()
        watchdog.start()
        yield run
    finally:
        done.set()
        run.stop()
        process.wait()
        log_reader.join()
        process.stdout.close()
        process.stderr.close()
        signal.signal(signal.SIGTERM, before)


def _die_with_parent() -> None:
    """Make the kernel kill this process when the job is killed, so that ffmpeg does not continue alone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _read_log(stderr: IO[bytes], run: FfmpegRun) -> None:
    while raw := stderr.readline(LINE_BYTES):
        line = re.sub(r" @ 0x[0-9a-f]+", "", raw.decode(errors="replace").strip())
        if not line or NOISE in line:
            continue
        if cut := CUT.match(line):
            run.cuts_ms += [int(cut[1])] if cut[1] else []
            continue
        run.log_lines.append(line)
        if not run.error and ("[error]" in line or "[fatal]" in line):
            run.error = re.sub(r"\[(error|fatal)\] ", "", line)
        run.damage_seen = run.damage_seen or "[error]" in line or "orrupt" in line


def jpeg_frames(run: FfmpegRun) -> Iterator[JpegFrame]:
    """Yield the JPEGs in the order of their times, as ffmpeg writes them."""
    import av

    assert run.process.stdout
    try:
        with av.open(run.process.stdout, format="nut", options={"probesize": "32", "analyzeduration": "0"}) as stream:
            for packet in stream.demux():
                jpeg = bytes(packet)
                if packet.pts is not None and jpeg.endswith(JPEG_END):  # otherwise it was cut off when ffmpeg ended
                    yield JpegFrame(round(packet.pts * packet.time_base * 1000), jpeg)
    except av.error.FFmpegError:  # ffmpeg ended before it wrote a header, or in the middle of a JPEG
        run.process.stdout.close()  # if it is still running, this ends it; failure_of() returns why


def failure_of(run: FfmpegRun) -> str:
    """Return why ffmpeg failed on a file, or an empty text.

    Raise UserError if ffmpeg was killed, because its frames are then incomplete, or if its build lacks something.
    A crash is a fault of the file.
    """
    code = run.process.wait()
    if run.stopped or code == 0:
        return ""
    if run.log_reader:
        run.log_reader.join(LOG_WAIT_S)
    if INCOMPLETE_BUILD.search(run.error):
        raise UserError(f"this build of ffmpeg is incomplete: {run.error}: install a complete one, or imageio-ffmpeg")
    if code < 0 and -code not in CRASHES:
        raise UserError(killed_message(-code))
    return f"ffmpeg gave up: {run.error or f'exit code {code}'}"
