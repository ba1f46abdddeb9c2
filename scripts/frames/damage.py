"""Find the pictures of a damaged file that cannot be trusted."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.media.clock import clock
from scripts.media.probe import DECODE_OPTIONS, OPEN_OPTIONS

MARGIN_MS = 2000  # pictures are stored in another order than shown, but never so far apart


@dataclass(frozen=True)
class Damage:
    """How many pictures a file holds, which times are in doubt, and when the last one is shown."""

    pictures: int
    doubted_ms: frozenset[int]
    last_ms: int


def find_damage(media: Path, index: int, until_s: float | None, deadline: float) -> Damage:
    """Decode a stream again, picture by picture, and return those from each fault on to the next keyframe.

    What is decoded after a fault builds on it: in measurements half of such pictures were visibly broken, although
    no decoder says so of any but the first. Stops at `until_s` of playing time, or at `deadline` (of time.monotonic).
    """
    import av
    from av import logging as heard

    pictures, doubted, last_ms, in_doubt = 0, set(), 0, False
    level, skip = heard.get_level(), heard.get_skip_repeated()
    heard.set_level(heard.INFO)  # at which decoders tell what they conceal
    heard.set_skip_repeated(False)
    try:
        with av.open(f"file:{media.absolute()}", options=OPEN_OPTIONS) as file:
            stream = file.streams[index]
            stream.codec_context.options = DECODE_OPTIONS
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # faults are those of the packet at hand
            shown_s = clock(file, stream)
            for packet, hole_before in _packets(file, stream):
                in_doubt = _is_faulty(packet) or ((in_doubt or hole_before) and not packet.is_keyframe)
                if packet.pts is None or not packet.size:
                    continue
                pictures += 1
                pts_ms = round(shown_s(packet) * 1000)
                last_ms = max(last_ms, pts_ms)
                if in_doubt:
                    doubted.add(pts_ms)
                if time.monotonic() > deadline or (until_s is not None and pts_ms > 1000 * until_s + MARGIN_MS):
                    break
    finally:
        heard.set_level(level)
        heard.set_skip_repeated(skip)
    logging.info("%d of %d pictures are in doubt", len(doubted), pictures)
    return Damage(pictures, frozenset(doubted), last_ms)


def _packets(file: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether packets may be missing before it, by what is said of the container.

    What is said may come early, since packets are put together from pieces and read in groups: it counts for two
    packets, and for the next gap between times.
    """
    from av import error
    from av import logging as heard

    packets, hole, suspect = file.demux(stream), False, False
    due: int | None = None
    while True:
        with heard.Capture() as said:
            try:
                packet = next(packets, None)
            except error.FFmpegError:
                return
        if packet is None:
            return
        told = _tells_of_damage(said, heard.WARNING)
        suspect = suspect or told
        late = due is not None and packet.dts is not None and packet.dts > due + (packet.duration or 0) // 2
        gap = suspect and late
        yield packet, told or hole or gap
        hole, suspect = told and not packet.is_keyframe, suspect and not gap
        due = packet.dts + packet.duration if packet.dts is not None and packet.duration else None


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
