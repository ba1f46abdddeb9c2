"""Compute where the bars, ticks and lines of a chart are; charts.jinja writes them as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BIN_GAP = 0.14  # share of a bin that stays empty beside its bars
HEADROOM = 0.3  # units of height above the highest bar
LABEL_ON_LEFT = 50  # percent; a threshold further right than this has its label on the left of its line


@dataclass(frozen=True)
class Histogram:
    """Counts per bin for each kind of frame or object, with the configured thresholds.

    `edges` has one number more than each list of counts and may end with infinity. All bins are drawn equally wide.
    """

    name: str
    title: str
    unit: str
    edges: Sequence[float]
    counts: Mapping[str, Sequence[int]]
    thresholds: Mapping[str, float]
    whole: bool = False  # bins are whole numbers, labelled in their middle

    def label(self, index: int) -> str:
        """Return the range of values in a bin."""
        low, high = self.edges[index], self.edges[index + 1]
        if not np.isfinite(high):
            return f"more than {low - self.whole:g}"
        return f"{low:g}" if self.whole else f"{low:g} to {high:g}"


class Bar(NamedTuple):
    """A rectangle with its tooltip, in percent of the chart's width and height from the upper left."""

    kind: str
    tooltip: str
    x: float
    y: float
    width: float
    height: float
    opacity: float = 1.0


class Tick(NamedTuple):
    """A label of an axis, in percent from the left or the top."""

    position: float
    label: str


class ThresholdLine(NamedTuple):
    """A configured threshold, in percent from the left; its label is `row` lines of text above the lowest one."""

    position: float
    label: str
    row: int
    label_on_left: bool


class Drawing(NamedTuple):
    """Everything that charts.jinja draws; `description` is for readers who do not see it."""

    name: str
    title: str
    description: str
    bars: Sequence[Bar]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    x_label: str = ""
    y_label: str = ""
    thresholds: Sequence[ThresholdLine] = ()


def draw_histogram(chart: Histogram) -> Drawing:
    """Lay out a histogram with its thresholds; logarithmic heights keep small counts near a threshold visible."""
    most = max((n for counts in chart.counts.values() for n in counts), default=0)
    top = _log_height(max(1, most)) + HEADROOM
    powers = [n for k in range(len(str(most)) + 1) if _log_height(n := 10**k) <= top]
    thresholds = [
        ThresholdLine(
            position, f"{key}: {value:g}", len(chart.thresholds) - number, label_on_left=position > LABEL_ON_LEFT
        )
        for number, (key, value) in enumerate(chart.thresholds.items(), start=1)
        for position in [_threshold_position(chart, value)]
    ]
    return Drawing(
        chart.name,
        chart.title,
        describe_histogram(chart),
        bars=list(_bars(chart, top)),
        x_ticks=list(_bin_ticks(chart)),
        y_ticks=[Tick(_percent(1 - _log_height(n) / top), _short(n)) for n in (0, *powers)],
        x_label=chart.unit,
        y_label="objects" if set(chart.counts) == {"objects"} else "frames",
        thresholds=thresholds,
    )


def _bars(chart: Histogram, top: float) -> Iterator[Bar]:
    n_bins = len(chart.edges) - 1
    kinds = [kind for kind, counts in chart.counts.items() if any(counts)]
    width = (1 - BIN_GAP) / max(1, len(kinds))
    for index in range(n_bins):
        for place, kind in enumerate(kinds):
            if n := chart.counts[kind][index]:
                height = _log_height(n) / top
                left = (index + BIN_GAP / 2 + place * width) / n_bins
                tooltip = f"{n:,} {_words(kind)}: {chart.label(index)}"
                yield Bar(
                    kind, tooltip, _percent(left), _percent(1 - height), _percent(width / n_bins), _percent(height)
                )


def _bin_ticks(chart: Histogram) -> Iterator[Tick]:
    n_bins = len(chart.edges) - 1
    step = 4 if n_bins >= 32 else 2
    if chart.whole:
        for index in (*range(0, n_bins - 2, step), n_bins - 1):
            yield Tick(_percent((index + 0.5) / n_bins), chart.label(index).replace("more than ", ">"))
    else:
        for index in range(0, n_bins + 1, step):
            edge = chart.edges[index]
            yield Tick(_percent(index / n_bins), f"{edge:g}" if np.isfinite(edge) else "more")


def _threshold_position(chart: Histogram, value: float) -> float:
    finite = [edge for edge in chart.edges if np.isfinite(edge)]
    return _percent(float(np.interp(value + chart.whole, finite, range(len(finite)))) / (len(chart.edges) - 1))


def _log_height(n: int) -> float:
    """Return the height of a count: 0.7 units for 1, and one more unit for each factor of 10."""
    return 0.7 + math.log10(n) if n else 0.0


def _short(n: int) -> str:
    return f"{n // 10**6:,}M" if n >= 10**6 else f"{n // 1000}k" if n >= 1000 else str(n)


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def describe_histogram(chart: Histogram) -> str:
    """Return all numbers of the chart as text, for readers who do not see it."""
    thresholds = "; ".join(f"{label} at {value:g}" for label, value in chart.thresholds.items()) or "none"
    kinds = [
        f"{_words(kind)}: "
        + (", ".join(f"{n} at {chart.label(index)}" for index, n in enumerate(counts) if n) or "none")
        for kind, counts in chart.counts.items()
    ]
    return f"In {chart.unit}. Thresholds: {thresholds}. {'. '.join(kinds)}."


def draw_map(name: str, title: str, shares: np.ndarray) -> Drawing:
    """Lay out a map of the picture: the more objects cover a cell, the less transparent it is."""
    n_rows, n_columns = shares.shape
    most = float(shares.max())
    width, height = _percent(1 / n_columns), _percent(1 / n_rows)
    row, column = divmod(int(shares.argmax()), n_columns)
    return Drawing(
        name,
        title,
        f"Most objects, {shares.max():.1%}, cover the cell in row {row + 1} of {n_rows}, column {column + 1} of"
        f" {n_columns}; rows are counted from the top.",
        bars=[
            Bar(
                "cell", f"{share:.1%} of the objects cover this part", _percent(column / n_columns),
                _percent(row / n_rows), width, height, round(float(share) / most, 3),
            )
            for (row, column), share in np.ndenumerate(shares)
            if share
        ],
        x_ticks=[Tick(0, "left"), Tick(50, "middle"), Tick(100, "right")],
        y_ticks=[Tick(0, "top"), Tick(50, "middle"), Tick(100, "bottom")],
    )  # fmt: skip
