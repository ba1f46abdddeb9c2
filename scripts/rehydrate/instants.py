"""Extract the frames of a video at given times, and no others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.media.clip import Clip
from scripts.media.ffmpeg import JpegFrame, MediaStream, decoded_stream, failure_of, jpeg_command, jpeg_frames, running

ROUNDING_MS = 1  # other containers round times differently
LEAF = 8  # times compared one by one
TIMES_PER_PASS = 2000  # the kernel accepts no argument longer than 128 kB


@dataclass(frozen=True)
class FrameOutput:
    """How frames are encoded, and the limits on ffmpeg."""

    max_side_px: int
    jpeg_qscale: int
    threads: int
    deadline_s: float


def select_expression(times_ms: Sequence[int]) -> str:
    """Return ffmpeg's `select` expression for frames at these ascending times: a search tree."""
    if len(times_ms) <= LEAF:
        return "+".join(f"between(pts,{ms - ROUNDING_MS},{ms + ROUNDING_MS})" for ms in times_ms)
    half = len(times_ms) // 2
    left, right = select_expression(times_ms[:half]), select_expression(times_ms[half:])
    return f"if(lt(pts,{times_ms[half] - ROUNDING_MS}),{left},{right})"


def frames_at(
    source: MediaStream, clip: Clip, times_ms: Sequence[int], output: FrameOutput
) -> Iterator[JpegFrame | str]:
    """Yield the frames at these times, each with its wanted time; if ffmpeg stops early, yield why.

    A time comes twice if the first frame was off by a rounding and the second is not.
    """
    ordered = sorted(times_ms)
    for first in range(0, len(ordered), TIMES_PER_PASS):
        part = ordered[first : first + TIMES_PER_PASS]
        start_s = clip.start_s if first == 0 else (part[0] - ROUNDING_MS) / 1000
        yield from _frames_in_one_pass(source, Clip(start_s, part[-1] / 1000 + 0.01), part, output)


def _frames_in_one_pass(
    source: MediaStream, clip: Clip, times_ms: list[int], output: FrameOutput
) -> Iterator[JpegFrame | str]:
    stream = decoded_stream(source, clip, output.threads, skip_frame=None).filter("settb", "1/1000")
    chosen = stream.filter("select", select_expression(times_ms))
    command = jpeg_command(chosen, source, (output.max_side_px, output.jpeg_qscale), output.threads)
    wanted, exact = set(times_ms), set()
    with running(command, output.deadline_s) as run:
        for frame in jpeg_frames(run):
            near = [frame.pts_ms + off for off in (0, ROUNDING_MS, -ROUNDING_MS) if frame.pts_ms + off in wanted]
            if near and near[0] not in exact:
                exact |= {frame.pts_ms} & wanted
                yield JpegFrame(near[0], frame.jpeg)
        failure = failure_of(run)
    if run.timed_out:
        yield f"stopped after frames.deadline_s = {output.deadline_s:g} s"
    elif failure:
        yield failure
