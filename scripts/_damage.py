"""Find the pictures of a damaged file that cannot be trusted."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from scripts._media import MAX_PIXELS, OPEN_OPTIONS, SEEKABLE


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
        with av.open(f"file:{media.absolute()}", options={**OPEN_OPTIONS, "max_pixels": str(MAX_PIXELS)}) as file:
            stream = file.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # faults are those of the packet at hand
            zero_s = _zero_s(file, stream, container)
            for packet, fault_before in _packets(file, stream):
                faulty = _is_faulty(packet)
                in_doubt = faulty or fault_before and not packet.is_keyframe or in_doubt and not packet.is_keyframe
                if packet.pts is None or not packet.size:
                    continue
                pictures += 1
                pts_ms = round((packet.pts * stream.time_base - zero_s) * 1000)
                last_ms = max(last_ms, pts_ms)
                if in_doubt:
                    doubted.add(pts_ms)
    finally:
        heard.set_level(level)
    logging.info("%d of %d pictures are in doubt", len(doubted), pictures)
    return Damage(pictures, frozenset(doubted), last_ms)


def _zero_s(file: Any, stream: Any, container: str) -> Fraction:
    """Return the timestamp that ffmpeg takes for the start of the file."""
    if container in SEEKABLE:
        return Fraction(file.start_time or 0, 1_000_000)
    return (stream.start_time or 0) * Fraction(stream.time_base)


def _packets(file: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether the container was found damaged on the way to it."""
    from av import error, logging as heard

    packets = file.demux(stream)
    while True:
        with heard.Capture() as said:
            try:
                packet = next(packets, None)
            except error.FFmpegError:
                return
        if packet is None:
            return
        yield packet, _tells_of_damage(said)


def _is_faulty(packet: Any) -> bool:
    from av import error, logging as heard

    with heard.Capture() as said:
        try:
            shown = packet.decode()
        except error.FFmpegError:
            return True
    return packet.is_corrupt or any(frame.is_corrupt for frame in shown) or _tells_of_damage(said)


def _tells_of_damage(said: list[tuple[int, str, str]]) -> bool:
    from av import logging as heard

    return any(level <= heard.ERROR or "concealing" in text for level, _, text in said)
