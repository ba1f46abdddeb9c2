"""Presentation times that continue where the clock of a transport stream restarts."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

# If the clock of a transport stream jumps this far, ffmpeg treats it as a new clock.
BACKWARD_S, FORWARD_S = Fraction(1, 10), 10


def clock(file: Any, stream: Any) -> Callable[[Any], Fraction]:
    """Return a function from a packet to its presentation time in seconds, as ffmpeg counts on when clocks restart."""
    from av.format import Flags

    if not file.format.flags & Flags.ts_discont.value:
        return lambda packet: Fraction(packet.pts * packet.time_base) - Fraction(file.start_time or 0, 1_000_000)
    zero_s, expected_s = (stream.start_time or 0) * Fraction(stream.time_base), None

    def presentation_s(packet: Any) -> Fraction:
        nonlocal zero_s, expected_s
        dts_s = (packet.pts if packet.dts is None else packet.dts) * packet.time_base - zero_s
        if expected_s is not None and not expected_s - BACKWARD_S <= dts_s <= expected_s + FORWARD_S:
            zero_s += dts_s - expected_s
            dts_s = expected_s
        expected_s = dts_s + (packet.duration or 0) * packet.time_base
        return Fraction(packet.pts * packet.time_base) - zero_s

    return presentation_s
