"""Presentation times that go on where a transport stream's clock starts again."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

# Where a transport stream's clock jumps this far, ffmpeg takes it for a new clock.
BACKWARD_S, FORWARD_S = Fraction(1, 10), 10


def clock(file: Any, stream: Any) -> Callable[[Any], Fraction]:
    """Return the function that gives the time of a packet as ffmpeg counts it, which goes on where it starts anew."""
    from av.format import Flags

    if not file.format.flags & Flags.ts_discont.value:
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
