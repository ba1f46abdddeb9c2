"""Write the comparison of designs: a table and a plot."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks._measure import Measured
from tests.conftest import REPO

TITLES = {
    "threads": "threads",
    "queues": "queues",
    "workflow": "reelsieve",
    "whole": "reelsieve to the end",
    "cold jobs": "reelsieve, `warm_jobs: false`",
    "cold detector": "reelsieve, `detector.warm: false`",
    "filter apart": "filter only",
}
HEAD = """# Comparison with hand-written scripts

Written by `make bench` on {cores} cores without a GPU. Two scripts and reelsieve download the same videos from a local
server, extract frames and filter them, with the same model and settings. They must keep the same frames. The scripts
(tests/benchmarks/plain_*.py) use a thread per video (`threads`) or a queue per stage (`queues`). They load the model
once and call it through ultralytics. "Filter only" excludes the other stages. "To the end" also hashes, labels, exports
and reports, which the scripts do not.

CPU and memory: all processes. Figures are medians. In the picture, times are relative to the faster script.

![Time relative to the faster script](designs.svg)
"""


@dataclass(frozen=True)
class Outcome:
    """The cost of a design, its frames, filter time and kept frames."""

    measured: Measured
    frames: int
    filter_s: float
    kept: frozenset[str]


@dataclass(frozen=True)
class Round:
    """The outcomes of all designs, and the engine's own rate in frames per second."""

    outcomes: dict[str, Outcome]
    raw_rate: float | None


def ratios(rounds: list[Round], design: str) -> list[float]:
    """Return per round the time of a design relative to the faster script."""
    return [
        one.outcomes[design].measured.wall_s / min(one.outcomes[d].measured.wall_s for d in ("threads", "queues"))
        for one in rounds
    ]


COLUMNS = """| set | design | time s | CPU s | memory MB |
|---|---|---|---|---|
"""


def table(name: str, rounds: list[Round]) -> str:
    """Return the rows of a set of videos: medians per design."""
    text = ""
    for design in rounds[0].outcomes:
        seen = [one.outcomes[design] for one in rounds]
        cells = [
            f"{median(one.measured.wall_s for one in seen):.1f}",
            f"{median(one.measured.cpu_s for one in seen):.1f}",
            f"{median(one.measured.peak_mb for one in seen):.0f}",
        ]
        text += f"| {name} | {TITLES[design]} | {' | '.join(cells)} |\n"
    return text


def engine(rounds: list[Round]) -> str:
    """Return the engine's own rate and the filter's share of it, if both were measured."""
    apart = [(one.outcomes["filter apart"], one.raw_rate) for one in rounds if "filter apart" in one.outcomes]
    known = [(seen, rate) for seen, rate in apart if rate]
    if not known:
        return ""
    share = median(seen.frames / seen.filter_s / rate for seen, rate in known)
    return f" The engine alone: {median(rate for _, rate in known):.1f} frames/s; the filter reaches {share:.2f} of it."


def described(name: str, asked: dict[str, Any], rounds: list[Round]) -> str:
    """Return a list entry about a set of videos."""
    seen = next(iter(rounds[0].outcomes.values()))
    videos = f"{asked['count']} videos of {asked['seconds']:g} s, one frame per {asked['interval_s']:g} s"
    model = "compiled INT8 model" if asked["compiled"] else ".pt weights, compiled by reelsieve first"
    many = "1 round" if len(rounds) == 1 else f"{len(rounds)} rounds"
    return f"- {name}: {videos}: {seen.frames} frames, {len(seen.kept)} kept; {model}; {many}.{engine(rounds)}"


def write(sets: Mapping[str, tuple[dict[str, Any], list[Round]]], cores: int) -> None:
    """Write docs/designs.md and docs/designs.svg."""
    entries = "\n".join(described(name, asked, rounds) for name, (asked, rounds) in sets.items())
    rows = "".join(table(name, rounds) for name, (_, rounds) in sets.items())
    (REPO / "docs/designs.md").write_text(f"{HEAD.format(cores=cores)}\n{entries}\n\n{COLUMNS}{rows}")
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
    axes.set_ylabel("time / faster script")
    axes.legend(fontsize=8, loc="upper left", ncols=3)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
