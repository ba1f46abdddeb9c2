"""Find the pictures of a damaged file that cannot be trusted."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.media.clock import clock
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS

MARGIN_MS = 2000  # pictures are stored in another order than shown, but never this far apart


@dataclass(frozen=True)
class Damage:
    """The number of pictures in a file, the times of those that cannot be trusted, and the time of the last one."""

    pictures: int
    untrusted_ms: frozenset[int]
    last_ms: int


def find_damage(media: Path, index: int, until_s: float | None, deadline: float) -> Damage:
    """Decode a stream again, picture by picture, and return those from each fault up to the next keyframe.

    Pictures after a fault are decoded from it: in measurements half of them were visibly broken, although decoders
    report only the first. Stop at `until_s` of playing time, or at `deadline` (of time.monotonic).
    """
    import av
    from av import logging as av_log

    pictures, untrusted, last_ms, is_untrusted = 0, set(), 0, False
    level, skip_repeated = av_log.get_level(), av_log.get_skip_repeated()
    av_log.set_level(av_log.INFO)  # the level at which decoders report what they conceal
    av_log.set_skip_repeated(False)
    try:
        with av.open(f"file:{media.absolute()}", options=OPEN_OPTIONS) as file:
            stream = file.streams[index]
            stream.codec_context.options = DECODE_OPTIONS
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # so that a fault is that of its packet
            presentation_s = clock(file, stream)
            for packet, loss_before in _packets(file, stream):
                is_untrusted = _is_faulty(packet) or ((is_untrusted or loss_before) and not packet.is_keyframe)
                if packet.pts is None or not packet.size:
                    continue
                pictures += 1
                pts_ms = round(presentation_s(packet) * 1000)
                last_ms = max(last_ms, pts_ms)
                if is_untrusted:
                    untrusted.add(pts_ms)
                if time.monotonic() > deadline or (until_s is not None and pts_ms > 1000 * until_s + MARGIN_MS):
                    break
    finally:
        av_log.set_level(level)
        av_log.set_skip_repeated(skip_repeated)
    logging.info("damage check: %d of %d pictures cannot be trusted", len(untrusted), pictures)
    return Damage(pictures, frozenset(untrusted), last_ms)


def _packets(file: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether packets may be missing before it, from messages about the container.

    A message can come early, because packets are put together from pieces and read in groups. So it counts for two
    packets, and for the next gap between times.
    """
    from av import error
    from av import logging as av_log

    packets, reported_before, awaits_gap = file.demux(stream), False, False
    expected_dts: int | None = None
    while True:
        with av_log.Capture() as messages:
            try:
                packet = next(packets, None)
            except error.FFmpegError:
                return
        if packet is None:
            return
        reported = _report_damage(messages, av_log.WARNING)
        awaits_gap = awaits_gap or reported
        duration = packet.duration or 0
        late = expected_dts is not None and packet.dts is not None and packet.dts > expected_dts + duration // 2
        gap = awaits_gap and late
        yield packet, reported or reported_before or gap
        reported_before, awaits_gap = reported and not packet.is_keyframe, awaits_gap and not gap
        expected_dts = packet.dts + duration if packet.dts is not None and duration else None


def _is_faulty(packet: Any) -> bool:
    from av import error
    from av import logging as av_log

    with av_log.Capture() as messages:
        try:
            decoded = packet.decode()
        except error.FFmpegError:
            return True
    return packet.is_corrupt or any(f.is_corrupt for f in decoded) or _report_damage(messages, av_log.ERROR)


def _report_damage(messages: list[tuple[int, str, str]], from_level: int) -> bool:
    return any(level <= from_level or "concealing" in text for level, _, text in messages)
