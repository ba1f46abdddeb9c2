"""Find the pictures of a damaged file that cannot be trusted."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from scripts._media import DECODE_OPTIONS, OPEN_OPTIONS, SEEKABLE

# Where a transport stream's clock jumps this far, ffmpeg takes it for a new clock.
BACKWARD_S, FORWARD_S = Fraction(1, 10), 10


@dataclass(frozen=True)
class Damage:
    """How many pictures a file holds, which times are in doubt, and when the last one is shown."""

    pictures: int
    doubted_ms: frozenset[int]
    last_ms: int


def find_damage(media: Path, container: str) -> Damage:
    """Decode a file again, picture by picture, and return those from each fault on to the next keyframe.

    What is decoded after a fault builds on it: in measurements half of such pictures were visibly broken, although
    no decoder says so of any but the first.
    """
    import av
    from av import logging as heard

    pictures, doubted, last_ms, in_doubt = 0, set(), 0, False
    level = heard.get_level()
    heard.set_level(heard.INFO)  # at which decoders tell what they conceal
    try:
        with av.open(f"file:{media.absolute()}", options=OPEN_OPTIONS) as file:
            stream = file.streams.video[0]
            stream.codec_context.options = DECODE_OPTIONS
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # faults are those of the packet at hand
            shown_s = _clock(file, stream, container)
            for packet, hole_before in _packets(file, stream):
                in_doubt = _is_faulty(packet) or ((in_doubt or hole_before) and not packet.is_keyframe)
                if packet.pts is None or not packet.size:
                    continue
                pictures += 1
                pts_ms = round(shown_s(packet) * 1000)
                last_ms = max(last_ms, pts_ms)
                if in_doubt:
                    doubted.add(pts_ms)
    finally:
        heard.set_level(level)
    logging.info("%d of %d pictures are in doubt", len(doubted), pictures)
    return Damage(pictures, frozenset(doubted), last_ms)


def _clock(file: Any, stream: Any, container: str) -> Callable[[Any], Fraction]:
    """Return the function that gives the time of a packet as ffmpeg counts it, which goes on where it starts anew."""
    if container in SEEKABLE:
        return lambda packet: Fraction(packet.pts * packet.time_base) - Fraction(file.start_time or 0, 1_000_000)
    zero_s, due_s = (stream.start_time or 0) * Fraction(stream.time_base), None

    def shown_s(packet: Any) -> Fraction:
        nonlocal zero_s, due_s
        dts_s = (packet.pts if packet.dts is None else packet.dts) * packet.time_base - zero_s
        if due_s is not None and (dts_s < due_s - BACKWARD_S or dts_s > due_s + FORWARD_S):
            zero_s += dts_s - due_s
            dts_s = due_s
        due_s = dts_s + (packet.duration or 0) * packet.time_base
        return Fraction(packet.pts * packet.time_base) - zero_s

    return shown_s


def _packets(file: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether the container was found damaged on the way to it or to the one before.

    Packets are put together from pieces, so what is said of the pieces may come a packet early.
    """
    from av import error
    from av import logging as heard

    packets, hole = file.demux(stream), False
    while True:
        hole_before = hole
        with heard.Capture() as said:
            try:
                packet = next(packets, None)
            except error.FFmpegError:
                return
        if packet is None:
            return
        hole = _tells_of_damage(said, heard.WARNING)
        yield packet, hole or hole_before
        hole = hole and not packet.is_keyframe


def _is_faulty(packet: Any) -> bool:
    from av import error
    from av import logging as heard

    with heard.Capture() as said:
        try:
            shown = packet.decode()
        except error.FFmpegError:
            return True
    return packet.is_corrupt or any(frame.is_corrupt for frame in shown) or _tells_of_damage(said, heard.ERROR)


def _tells_of_damage(said: list[tuple[int, str, str]], from_level: int) -> bool:
    return any(level <= from_level or "concealing" in text for level, _, text in said)
