"""Take the pictures of a video at given times, and no others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.media.clip import Clip
from scripts.media.ffmpeg import MediaStream, decoded, jpeg_command, pictures, running, verdict

ROUNDING_MS = 1  # other containers round times otherwise
LEAF = 8  # times compared one by one
TIMES_PER_PASS = 2000  # the kernel takes no argument longer than 128 kB


@dataclass(frozen=True)
class FrameOutput:
    """How pictures come out of a video."""

    max_side_px: int
    jpeg_qscale: int
    threads: int
    deadline_s: float


def expression(times_ms: Sequence[int]) -> str:
    """Return ffmpeg's `select` expression for frames at these times, in ascending order: a search tree."""
    if len(times_ms) <= LEAF:
        return "+".join(f"between(pts,{ms - ROUNDING_MS},{ms + ROUNDING_MS})" for ms in times_ms)
    half = len(times_ms) // 2
    left, right = expression(times_ms[:half]), expression(times_ms[half:])
    return f"if(lt(pts,{times_ms[half] - ROUNDING_MS}),{left},{right})"


def take_instants(
    source: MediaStream, clip: Clip, times_ms: Sequence[int], output: FrameOutput
) -> Iterator[tuple[int, bytes] | str]:
    """Yield, of the times asked for, those that have a picture, with its JPEG; what stopped ffmpeg is a text.

    A time comes twice if the first picture was a rounding off it and the second is not.
    """
    ordered = sorted(times_ms)
    for first in range(0, len(ordered), TIMES_PER_PASS):
        part = ordered[first : first + TIMES_PER_PASS]
        start_s = clip.start_s if first == 0 else (part[0] - ROUNDING_MS) / 1000
        yield from _take(source, Clip(start_s, part[-1] / 1000 + 0.01), part, output)


def _take(
    source: MediaStream, clip: Clip, times_ms: list[int], output: FrameOutput
) -> Iterator[tuple[int, bytes] | str]:
    steady = decoded(source, clip, output.threads, skip_frame=None).filter("settb", "1/1000")
    chosen = steady.filter("select", expression(times_ms))
    command = jpeg_command(chosen, source, (output.max_side_px, output.jpeg_qscale), output.threads)
    wanted, exact = set(times_ms), set()
    with running(command, output.deadline_s) as run:
        for picture in pictures(run):
            near = [picture.pts_ms + off for off in (0, ROUNDING_MS, -ROUNDING_MS) if picture.pts_ms + off in wanted]
            if near and near[0] not in exact:
                exact |= {picture.pts_ms} & wanted
                yield near[0], picture.jpeg
        fault = verdict(run)
    if run.timed_out:
        yield f"stopped after frames.deadline_s = {output.deadline_s:g} s"
    elif fault:
        yield fault
