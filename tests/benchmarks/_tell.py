"""Write what the comparison of designs measured: a table per set of videos, and a plot."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks._measure import Measured
from tests.conftest import REPO

TITLES = {
    "threads": "hand-written: a thread per video",
    "queues": "hand-written: a queue per stage",
    "workflow": "reelsieve, from nothing",
    "cold jobs": "reelsieve, `detector.warm: false`",
    "filter apart": "reelsieve, its filter alone",
}
HEAD = """# The workflow beside hand-written scripts

Written by `make bench` on {cores} cores without a GPU. All designs take the same videos from a server on the same
machine through download, extraction and filter, with the same model, sampling and precision, in turns; each must keep
the very same frames. The two scripts (tests/benchmarks/plain_*.py) load the model once and ask it in ultralytics' own
way. Ratios are medians over the rounds of the time beside that of the faster script in the same round. CPU seconds and
memory are of all processes together. "Filter" is frames per second while the filter has work; in the line of the filter
alone, from its first frame to its last, the starts of jobs included.

![Time beside the faster script](designs.svg)
"""
COLUMNS = ("design", "time s", "ratio", "CPU s", "memory MB", "filter frames/s", "models loaded")


@dataclass(frozen=True)
class Outcome:
    """What a design took, how long it filtered how many frames, which it kept, and how often it loaded a model."""

    measured: Measured
    frames: int
    filter_s: float
    kept: frozenset[str]
    loads: int


@dataclass(frozen=True)
class Round:
    """The outcomes of all designs in turn, and the engine's own rate in pictures per second."""

    outcomes: dict[str, Outcome]
    raw_rate: float | None


def ratios(rounds: list[Round], design: str) -> list[float]:
    """Return per round the time of a design beside that of the faster script."""
    return [
        one.outcomes[design].measured.wall_s / min(one.outcomes[d].measured.wall_s for d in ("threads", "queues"))
        for one in rounds
    ]


def table(name: str, rounds: list[Round]) -> str:
    """Return a Markdown table of medians."""
    lines = [
        "| design | time s | ratio | CPU s | memory MB | filter frames/s | models loaded |",
        "|---|---|---|---|---|---|---|",
    ]
    for design in rounds[0].outcomes:
        seen = [one.outcomes[design] for one in rounds]
        whole = design != "filter apart"
        rate = [one.frames / one.filter_s for one in seen if one.filter_s]
        cells = [
            f"{median(one.measured.wall_s for one in seen):.1f}",
            f"{median(ratios(rounds, design)):.2f}" if whole else "",
            f"{median(one.measured.cpu_s for one in seen):.1f}",
            f"{median(one.measured.peak_mb for one in seen):.0f}",
            f"{median(rate):.1f}" if rate else "",
            f"{max(one.loads for one in seen)}",
        ]
        lines.append(f"| {TITLES[design]} | {' | '.join(cells)} |")
    raw = [one.raw_rate for one in rounds if one.raw_rate]
    if raw and "filter apart" in rounds[0].outcomes:
        apart = [(one.outcomes["filter apart"], one.raw_rate) for one in rounds if one.raw_rate]
        shares = [seen.frames / seen.filter_s / rate for seen, rate in apart]
        lines.append(f"\nThe engine: {median(raw):.1f} frames/s; the filter alone has {median(shares):.2f} of it.")
    return "\n".join([f"## {name}\n", *lines]) + "\n"


def write(sets: Mapping[str, tuple[dict[str, Any], list[Round]]], cores: int) -> None:
    """Write docs/designs.md and docs/designs.svg."""
    parts = [HEAD.format(cores=cores)]
    for name, (asked, rounds) in sets.items():
        seen = next(iter(rounds[0].outcomes.values()))
        what = (
            f"{asked['count']} videos of {asked['seconds']:g} s, a frame each {asked['interval_s']:g} s: {seen.frames}"
        )
        model = "a compiled INT8 model" if asked["compiled"] else ".pt weights, which reelsieve compiles first"
        title, body = table(name, rounds).split("\n", 1)
        parts.append(f"{title}\n\n{what} frames, {len(seen.kept)} kept; {model}; {len(rounds)} rounds.\n{body}")
    (REPO / "docs/designs.md").write_text("\n".join(parts))
    plot({name: rounds for name, (_, rounds) in sets.items()}, REPO / "docs/designs.svg")


def plot(sets: Mapping[str, list[Round]], path: Path) -> None:
    """Draw the ratios as bars."""
    os.environ.setdefault("MPLBACKEND", "svg")
    import matplotlib.pyplot as plt

    designs = ("threads", "queues", "workflow")
    plt.rcParams["svg.hashsalt"] = "reelsieve"
    figure, axes = plt.subplots(figsize=(8, 3.5))
    for i, design in enumerate(designs):
        at = [n + (i - 1) * 0.27 for n in range(len(sets))]
        bars = axes.bar(at, [median(ratios(rounds, design)) for rounds in sets.values()], 0.25, label=TITLES[design])
        axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set_xticks(range(len(sets)), list(sets))
    axes.set_ylabel("time beside the faster script")
    axes.legend(fontsize=8, loc="upper left", ncols=3)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
