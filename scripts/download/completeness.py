"""Check that a downloaded video is complete: neither its end nor a segment in the middle may be missing."""

import math
import statistics
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from scripts.media.clock import clock
from scripts.media.ending import is_whole
from scripts.media.length import COUNT_FROM_ZERO, container_of
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS, NotVideo

# A site rounds the length and may give that of a longer sound track. The length in the file is exact.
SITE_SLACK_S, SITE_SLACK = 2.0, 0.05
FILE_SLACK_S, FILE_SLACK = 0.5, 0.01
WITH_LENGTH = frozenset({"matroska", "flv"})  # their headers hold the longest track's length; ffmpeg estimates others
LONGEST_GAP_S = 1.0  # between frames of a stream in segments; slides have longer gaps everywhere
LONGEST_TAIL_BYTES = 64_000_000  # of packets kept to decode the last frames


def check_whole(
    path: Path, stream_index: int, announced_s: float | None, in_pieces: bool, sent_whole: bool = False
) -> str:
    """Raise NotVideo if the file ends early, lacks a segment, or its last frames cannot be decoded.

    This reads the whole file without decoding, then decodes from the last keyframe on. `announced_s` is the site's
    length. `in_pieces`: the file was joined from segments, so one may be missing. `sent_whole`: it has as many bytes as
    the server announced. Return a note if only that tells a last picture that stays from an end that is missing.
    """
    import av

    av.logging.set_level(av.logging.ERROR)
    try:
        with av.open(f"file:{path.absolute()}", options={**OPEN_OPTIONS, **DECODE_OPTIONS}) as media:
            stream = media.streams[stream_index]
            stream.codec_context.options = DECODE_OPTIONS
            packets = _Packets(clock(media, stream))
            for packet in media.demux(stream):
                packets.add(packet)
            whole = is_whole(path, container_of(media))
            early = _early_end(packets, media, stream, announced_s, bool(whole))
            may_stay = sent_whole and whole is None and not _early_end(packets, media, stream, announced_s, True)
            if early and not may_stay:
                raise NotVideo(early)
            if in_pieces:
                _check_gaps(packets)
            if packets.tail:
                _check_tail(packets.tail)
            return f"{early}; all bytes are there, so the last frame may stay until then" if early else ""
    except av.error.FFmpegError as error:
        raise NotVideo(f"the file cannot be read to its end: {error.strerror}") from error


class _Packets:
    """The times of a stream's packets, and the packets from the last keyframe on."""

    def __init__(self, shown_s: Callable[[Any], Fraction]) -> None:
        self._clock = shown_s  # continues where a transport stream's own clock restarts, as around adverts
        self.shown_s = array("d")
        self.first_s, self.end_s, self.longest_s = math.inf, -math.inf, 0.0
        self.tail: list[Any] | None = []
        self._tail_bytes = 0

    def add(self, packet: Any) -> None:
        if packet.pts is not None:
            pts_s, duration_s = float(self._clock(packet)), float((packet.duration or 0) * packet.time_base)
            self.shown_s.append(pts_s)
            self.longest_s = max(self.longest_s, duration_s)
            self.first_s, self.end_s = min(self.first_s, pts_s), max(self.end_s, pts_s + duration_s)
        if packet.is_keyframe:
            self.tail, self._tail_bytes = [], 0
        self._tail_bytes += packet.size
        if self._tail_bytes > LONGEST_TAIL_BYTES:
            self.tail = None
        if self.tail is not None:
            self.tail.append(packet)

    def steps(self) -> Iterator[tuple[float, float]]:
        """Yield the time of each frame, in display order, and the time until the next one."""
        times_s = sorted(self.shown_s)
        for this_s, next_s in zip(times_s, times_s[1:], strict=False):
            yield this_s, next_s - this_s

    def usual_step_s(self) -> float:
        """Return the median time from one frame to the next."""
        return statistics.median([step_s for _, step_s in self.steps()] or [0.0])


def _early_end(packets: _Packets, media: Any, stream: Any, announced_s: float | None, whole: bool) -> str:
    """Return how far the frames end before the announced length, if they do.

    In a file that has all of its bytes, the last frame is shown until the end that the header gives.
    """
    from av.format import Flags

    played_s = max(0.0, packets.end_s - packets.first_s)
    since_start_s = max(played_s, packets.end_s)  # counts from the sound's start, if that is first
    # Formats with jumps in time have no length in the header, so ffmpeg gives that of the last packet.
    has_header = not media.format.flags & Flags.ts_discont.value
    own_s = float(stream.duration * stream.time_base) if stream.duration and has_header else 0.0
    with_length = container_of(media) in WITH_LENGTH and not media.streams.audio
    header_s = (media.duration or 0) / 1e6 if with_length else 0.0
    if whole:
        played_s = since_start_s = max(since_start_s, own_s, header_s)
    elif container_of(media) in COUNT_FROM_ZERO:
        played_s = since_start_s + max(0.0, (media.start_time or 0) / 1e6)
    for source, whole_s, slack_s, slack, end_s in (
        ("the file's header", own_s, FILE_SLACK_S, FILE_SLACK, played_s),
        ("the file's header", header_s, SITE_SLACK_S, SITE_SLACK, played_s),
        ("the site", announced_s or 0.0, SITE_SLACK_S, SITE_SLACK, since_start_s),
    ):
        if end_s + 2 * packets.usual_step_s() < whole_s - max(slack_s, slack * whole_s):
            return f"the frames end at {end_s:.1f} s, but {source} announces {whole_s:.1f} s"
    return ""


def _check_gaps(packets: _Packets) -> None:
    """Raise NotVideo if a gap between frames is far longer than the usual one and than any frame's duration."""
    allowed_s = max(LONGEST_GAP_S, 10 * packets.usual_step_s(), 1.5 * packets.longest_s)
    for at_s, step_s in packets.steps():
        if step_s > allowed_s:
            at_s = max(0.0, at_s - packets.first_s)
            raise NotVideo(f"a segment is missing: no frame for {step_s:.1f} s after {at_s:.1f} s")


def _check_tail(tail: list[Any]) -> None:
    """Raise NotVideo if the last frame cannot be decoded; extraction handles damage before it."""
    import av

    last, fault = None, ""
    for packet in tail:
        try:
            frames = packet.decode()
            fault = "cut short" if packet.is_corrupt else "" if packet.size else fault
        except av.error.FFmpegError as error:
            fault, frames = error.strerror or type(error).__name__, []
        last = frames[-1] if frames else last
    if fault or last is None or last.is_corrupt:
        raise NotVideo(f"the last frame cannot be decoded{fault and ': '}{fault}")
