"""Choose the frames of a video: the settings, ffmpeg's selection for each mode, and the spread of a budget."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.media.clip import SLACK_S, Clip

CANDIDATES_PER_FRAME = 4  # of a budget: enough to choose from, and cheap compared with decoding


@dataclass(frozen=True)
class FrameSettings:
    """The keys of `frames` in the configuration; its schema describes each."""

    mode: str
    interval_s: float
    every_n: int
    scene_threshold: float
    budget: int
    max_frames: int
    max_side_px: int
    jpeg_qscale: int
    hdr: str
    similar_bits: int
    min_side_px: int
    min_brightness: float
    max_brightness: float
    min_sharpness: float
    min_entropy_bits: float
    max_output_mb: float
    deadline_s: float


def selection(settings: FrameSettings, clip: Clip, duration_s: float | None) -> str:
    """Return ffmpeg's `select` expression for the frames of the clip that this mode extracts.

    `scene` is ffmpeg's measure of the change since the last frame, 0 to 1. Mode `budget` extracts more candidates than
    its budget: the first frame of each shot, and frames at intervals.
    """
    first, cut = "isnan(prev_selected_t)", f"gt(scene,{settings.scene_threshold!r})"
    expressions = {
        "interval": f"{first}+{next_step(settings.interval_s, clip)}",
        "every_n": f"not(mod(n,{settings.every_n}))",
        "keyframes": "eq(key,1)",
        "scene": f"{first}+{cut}",
        "budget": f"{first}+{cut}+{next_step(candidate_interval_s(settings.budget, clip, duration_s), clip)}",
    }
    return expressions[settings.mode]


def next_step(interval_s: float, clip: Clip) -> str:
    """Return the expression for the first frame at or after each multiple of the interval from the clip's start.

    A multiple without a frame before the next multiple is skipped, so frames keep their true times in videos of
    variable frame rate.
    """

    def step(t: str) -> str:
        return f"floor(({t}-{clip.start_s!r})/{interval_s!r}+{SLACK_S!r})"

    return f"gt({step('t')},{step('prev_selected_t')})"


def candidate_interval_s(budget: int, clip: Clip, duration_s: float | None) -> float:
    """Return the spacing of the candidates of a budget; 1 s if the length is unknown."""
    ends_s = [t for t in (clip.end_s, duration_s) if t is not None]
    span_s = min(ends_s) - clip.start_s if ends_s else 0.0
    return max(span_s / (CANDIDATES_PER_FRAME * budget), 0.01) if span_s > 0 else 1.0


def spread(times_s: Sequence[float], shots: Sequence[int], budget: int) -> list[int]:
    """Return the indices of at most `budget` frames, spread over shots and evenly within them.

    `shots` numbers the shot of each frame, ascending. Every shot gets a frame, the longest first; each further frame
    goes to the shot where it comes closest to the spacing of the others (the divisor method of d'Hondt).
    """
    members: dict[int, list[int]] = {}
    for index, shot in enumerate(shots):
        members.setdefault(shot, []).append(index)
    if not members:
        return []
    spacing_s = (times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1)
    starts = [times_s[m[0]] for m in members.values()] + [times_s[-1] + spacing_s]
    lengths = {shot: starts[i + 1] - starts[i] for i, shot in enumerate(members)}
    seats = dict.fromkeys(members, 0)
    queue = [(0, -lengths[shot], shot) for shot in members]
    heapq.heapify(queue)
    while queue and sum(seats.values()) < budget:
        _, _, shot = heapq.heappop(queue)
        seats[shot] += 1
        if seats[shot] < len(members[shot]):
            heapq.heappush(queue, (1, -lengths[shot] / (seats[shot] + 1), shot))
    return sorted(
        members[shot][(2 * i + 1) * len(members[shot]) // (2 * k)] for shot, k in seats.items() for i in range(k)
    )
