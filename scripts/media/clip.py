"""The part of a video that is wanted."""

from dataclasses import dataclass

LAST_PTS_S = 999_999.999  # names have nine digits of milliseconds
SLACK_S = 1e-6  # rounding can put a presentation time just before a multiple of the interval; it still counts


@dataclass(frozen=True)
class Clip:
    """The part of a video that is wanted, in seconds of playing time from 0; no end means to the end."""

    start_s: float
    end_s: float | None


def window(clip: Clip) -> str:
    """Return ffmpeg's `select` expression for the frames of a clip; its end is exclusive."""
    last_s = LAST_PTS_S if clip.end_s is None else min(clip.end_s, LAST_PTS_S)
    return f"gte(t,{clip.start_s - SLACK_S!r})*lt(t,{last_s!r})"
