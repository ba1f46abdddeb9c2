"""Find the pictures of a damaged file that cannot be trusted."""

import logging
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.media.clock import clock
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS

MARGIN_MS = 2000  # pictures are stored in another order than shown, but never this far apart
MISCOUNT = "Continuity check failed"  # what ffmpeg says of an MPEG-TS file if pieces are missing
GAP_WITHIN = 3  # packets
MOST_WAITING = 64  # pictures until a decoder shows one; decoders hold at most 16
# Complaints about syntax. In measurements no picture after them was visibly damaged (docs/decisions.md).
SYNTAX = re.compile(
    "non-intra slice in an IDR|co located POCs unavailable|mmco: unref short failure|SEI type|Truncating SEI"
)
P, B = 2, 3  # ffmpeg's numbers of the kinds of pictures
ALONE = frozenset({"mpeg1video", "mpeg2video"})  # no picture is decoded from their B-frames


@dataclass(frozen=True)
class Damage:
    """The number of pictures in a file, the times of those that cannot be trusted, and the time of the last one."""

    pictures: int
    untrusted_ms: frozenset[int]
    last_ms: int


@dataclass
class _Picture:
    """A picture as it is stored, and what the decoder makes of it."""

    pts: int | None
    pts_ms: int | None
    is_key: bool
    loss_before: bool
    is_faulty: bool
    kind: int = 0  # 0 if unknown
    is_shown: bool = False


def find_damage(media: Path, index: int, until_s: float | None, deadline: float) -> Damage:
    """Decode a stream again, picture by picture, and return those from each fault up to the next keyframe.

    Pictures after a fault are decoded from it: in measurements half of them were visibly broken, although decoders
    report only the first. Stop at `until_s` of playing time, or at `deadline` (of time.monotonic).
    """
    import av
    from av import logging as av_log

    pictures, untrusted, last_ms = 0, set(), 0
    level, skip_repeated = av_log.get_level(), av_log.get_skip_repeated()
    av_log.set_level(av_log.INFO)  # the level at which decoders report what they conceal
    av_log.set_skip_repeated(False)
    try:
        with av.open(f"file:{media.absolute()}", options=OPEN_OPTIONS) as file:
            stream = file.streams[index]
            stream.codec_context.options = DECODE_OPTIONS
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # so that a fault is that of its packet
            trust = _Trust(stream.codec_context.name in ALONE)
            for picture in _pictures(file, stream):
                is_trusted = trust.judge(picture)
                if picture.pts_ms is None:
                    continue
                pictures += 1
                last_ms = max(last_ms, picture.pts_ms)
                if not is_trusted:
                    untrusted.add(picture.pts_ms)
                if time.monotonic() > deadline or (until_s is not None and picture.pts_ms > 1000 * until_s + MARGIN_MS):
                    break
    finally:
        av_log.set_level(level)
        av_log.set_skip_repeated(skip_repeated)
    logging.info("damage check: %d of %d pictures cannot be trusted", len(untrusted), pictures)
    return Damage(pictures, frozenset(untrusted), last_ms)


class _Trust:
    """Whether pictures can be trusted, in the order in which they are stored."""

    def __init__(self, b_frames_are_alone: bool) -> None:
        self._b_frames_are_alone = b_frames_are_alone
        self._keys_needed, self._after_key = 0, False

    def judge(self, picture: _Picture) -> bool:
        """Return whether the next picture can be trusted: not a faulty one, nor those decoded from it.

        A keyframe that is no I-frame only begins to refresh the picture part by part. The next one ends that.
        """
        if picture.is_faulty and not (self._b_frames_are_alone and picture.kind == B):
            self._keys_needed = 2
        elif picture.is_key and picture.kind in (P, B):
            if picture.loss_before:  # it refreshes only what it shows itself; the next one has refreshed all
                self._keys_needed = 1
            else:
                self._keys_needed -= bool(self._keys_needed) and not self._after_key
        elif picture.is_key:
            self._keys_needed = 0
        elif picture.loss_before:
            self._keys_needed = 2
        self._after_key = picture.is_key
        return not self._keys_needed and not picture.is_faulty


def _pictures(file: Any, stream: Any) -> Iterator[_Picture]:
    """Yield each stored picture when the decoder has shown it, or has shown many others since."""
    presentation_s = clock(file, stream)
    waiting: deque[_Picture] = deque()
    for packet, loss_before in _packets(file, stream):
        frames, is_faulty = _decode(packet)
        if packet.size:
            pts_ms = None if packet.pts is None else round(presentation_s(packet) * 1000)
            waiting.append(_Picture(packet.pts, pts_ms, packet.is_keyframe, loss_before, is_faulty))
        for frame in frames:
            for picture in waiting:
                if picture.pts == frame.pts and not picture.is_shown:
                    picture.kind, picture.is_shown = frame.pict_type, True
                    picture.is_faulty = picture.is_faulty or frame.is_corrupt
                    break
        while waiting and (waiting[0].is_shown or len(waiting) > MOST_WAITING):
            yield waiting.popleft()
    yield from waiting


def _packets(file: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether packets may be missing before it, from messages about the container.

    A message can come early, because packets are put together from pieces and read in groups. So it counts for two
    packets, and for the next gap between times. MPEG-TS counts its pieces: if whole pictures are lost, only a message
    for developers says so, and so do streams that were joined without any loss. It counts if a gap follows at once.
    """
    from av import error
    from av import logging as av_log

    packets, reported_before, awaits_gap, miscounted = file.demux(stream), False, False, 0
    expected_dts: int | None = None
    level = av_log.get_level()
    while True:
        av_log.set_level(av_log.DEBUG if file.format.name == "mpegts" else level)
        with av_log.Capture() as messages:
            try:
                packet = next(packets, None)
            except error.FFmpegError:
                return
        av_log.set_level(level)
        if packet is None:
            return
        reported = _report_damage(messages, av_log.WARNING)
        awaits_gap = awaits_gap or reported
        miscounted = GAP_WITHIN if any(MISCOUNT in text for _, _, text in messages) else max(0, miscounted - 1)
        duration = packet.duration or 0
        late = expected_dts is not None and packet.dts is not None and packet.dts > expected_dts + duration // 2
        gap = late and bool(awaits_gap or miscounted)
        yield packet, reported or reported_before or gap
        reported_before, awaits_gap = reported and not packet.is_keyframe, awaits_gap and not gap
        expected_dts = packet.dts + duration if packet.dts is not None and duration else None


def _decode(packet: Any) -> tuple[list[Any], bool]:
    """Return the frames that the decoder shows next, and whether it reports a fault in this packet."""
    from av import error
    from av import logging as av_log

    with av_log.Capture() as messages:
        try:
            frames = packet.decode()
        except error.FFmpegError:
            return [], True
    return frames, packet.is_corrupt or _report_damage(messages, av_log.ERROR)


def _report_damage(messages: list[tuple[int, str, str]], from_level: int) -> bool:
    return any((level <= from_level or "concealing" in text) and not SYNTAX.search(text) for level, _, text in messages)
