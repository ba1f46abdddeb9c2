"""Draw charts as SVG that take the page's colours: no script, the same bytes for the same numbers."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.style as mpl_style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
SIZE_IN = (6.4, 2.7)  # at 72 units of the drawing per inch
STYLE: dict[str, Any] = {"svg.fonttype": "none", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
STYLES: list[str | dict[str, Any]] = ["default", STYLE]  # the first undoes a user's matplotlibrc
BAR = "bar-"  # how ids of bars begin, from which the page's classes and tooltips are made
PARTED = "|"  # between the parts of such an id


@dataclass(frozen=True)
class Histogram:
    """How many there are in each bin, by kind, and where the cuts lie.

    `edges` has one number more than each list of counts has, and may end with infinity; bins are drawn equally wide,
    whatever their edges.
    """

    name: str
    title: str
    unit: str
    edges: Sequence[float]
    counts: Mapping[str, Sequence[int]]
    cuts: Mapping[str, float]
    whole: bool = False  # bins are whole numbers, labelled in their middle

    def label(self, place: int) -> str:
        """Return what a bin holds, in words."""
        low, high = self.edges[place], self.edges[place + 1]
        if not np.isfinite(high):
            return f"more than {low - self.whole:g}"
        return f"{low:g}" if self.whole else f"{low:g} to {high:g}"


@mpl_style.context(STYLES)
def draw_histogram(chart: Histogram) -> str:
    """Return a histogram with its cuts as SVG; the heights are logarithmic, so that tails at a cut are seen."""
    figure, axes = _blank()
    kinds = [kind for kind, counts in chart.counts.items() if any(counts)]
    wide = 0.86 / max(1, len(kinds))
    for place in range(len(chart.edges) - 1):
        for turn, kind in enumerate(kinds):
            if n := chart.counts[kind][place]:
                (bar,) = axes.bar(place + 0.07 + turn * wide, n, wide, align="edge", clip_on=False)
                bar.set_gid(BAR + PARTED.join((kind, f"{n} {kind.replace('_', ' ')}: {chart.label(place)}")))
    most = max((n for counts in chart.counts.values() for n in counts), default=0)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_yticks([0, *(10**k for k in range(len(str(most or 1)) + 1) if 10**k <= 2 * (most or 1))])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(0, max(1, most) * 1.7)
    axes.set_ylabel("objects" if set(chart.counts) == {"objects"} else "frames")
    _label_bins(axes, chart)
    for turn, (label, value) in enumerate(chart.cuts.items()):
        _draw_cut(axes, chart, label, value, turn)
    return finished_svg(figure, chart.name, chart.title, told(chart))


def _label_bins(axes: Axes, chart: Histogram) -> None:
    n_bins = len(chart.edges) - 1
    step = 4 if n_bins >= 32 else 2
    if chart.whole:
        places = [*range(0, n_bins - 2, step), n_bins - 1]
        labels = [chart.label(place).replace("more than ", ">") for place in places]
    else:
        places = list(range(0, n_bins + 1, step))
        labels = [f"{chart.edges[place]:g}" if np.isfinite(chart.edges[place]) else "more" for place in places]
    axes.set_xticks([place + 0.5 * chart.whole for place in places], labels)
    axes.set_xlim(0, n_bins)
    axes.set_xlabel(chart.unit)


def _draw_cut(axes: Axes, chart: Histogram, label: str, value: float, turn: int) -> None:
    bounded = [edge for edge in chart.edges if np.isfinite(edge)]
    at = float(np.interp(value + chart.whole, bounded, range(len(bounded))))
    line = axes.axvline(at, clip_on=False)
    line.set_gid(f"cut-{turn}")
    right = at > 0.6 * (len(chart.edges) - 1)
    axes.annotate(
        f"{label}: {value:g}", (at, 1), (-4 if right else 4, -8 - 10 * turn), xycoords=("data", "axes fraction"),
        textcoords="offset points", ha="right" if right else "left",
    )  # fmt: skip


def told(chart: Histogram) -> str:
    """Return in words what the chart draws, for those who do not see it."""
    cuts = "; ".join(f"{label} at {value:g}" for label, value in chart.cuts.items()) or "none"
    kinds = [
        f"{kind.replace('_', ' ')}: "
        + (", ".join(f"{n} at {chart.label(place)}" for place, n in enumerate(counts) if n) or "none")
        for kind, counts in chart.counts.items()
    ]
    return f"In {chart.unit}. Cuts: {cuts}. {'. '.join(kinds)}."


@mpl_style.context(STYLES)
def draw_map(name: str, title: str, share: np.ndarray) -> str:
    """Return how often each cell of a picture (rows from the top) lies in a box, as SVG of the picture's shape."""
    figure, axes = _blank((6.4, 3.8))
    n_rows, n_columns = share.shape
    most = float(share.max()) or 1.0
    for row in range(n_rows):
        for column in range(n_columns):
            (cell,) = axes.bar(
                column, 1, 1, bottom=row, align="edge", alpha=float(share[row, column]) / most, clip_on=False
            )
            cell.set_gid(f"{BAR}cell{PARTED}{share[row, column]:.1%} of the objects cover this part")
    axes.set_xlim(0, n_columns)
    axes.set_ylim(n_rows, 0)
    axes.set_xticks([0, n_columns / 2, n_columns], ["left", "middle", "right"])
    axes.set_yticks([0, n_rows / 2, n_rows], ["top", "middle", "bottom"])
    row, column = divmod(int(share.argmax()), n_columns)
    words = f"Most objects, {share.max():.1%}, cover the cell in row {row + 1} of {n_rows}, column {column + 1} of"
    return finished_svg(figure, name, title, f"{words} {n_columns}; rows are counted from the top.")


def _blank(size_in: tuple[float, float] = SIZE_IN) -> tuple[Figure, Axes]:
    figure = Figure(size_in, layout="constrained")
    axes = figure.subplots()
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    return figure, axes


def finished_svg(figure: Figure, name: str, title: str, text: str) -> str:
    """Return a figure as SVG for a page: unique ids, its colours by class, a title and a description."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": f"reelsieve {name}"}):  # unique on a page, and no random number
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(out.getvalue())
    for name_of in ("width", "height", "version"):
        root.attrib.pop(name_of, None)
    for parent in list(root.iter()):
        for unwanted in [child for child in parent if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style")]:
            parent.remove(unwanted)  # the style would hold for the whole page
    for element in root.iter():
        _restyle(element)
    root.attrib |= {"role": "img", "class": "chart", "aria-labelledby": f"{name}-title {name}-text"}
    for place, (kind, words) in enumerate((("title", title), ("desc", text))):
        said = ElementTree.Element(f"{{{SVG}}}{kind}", {"id": f"{name}-{'text' if place else 'title'}"})
        said.text = words
        root.insert(place, said)
    return ElementTree.tostring(root, encoding="unicode").replace("\n", "")


def _restyle(element: ElementTree.Element) -> None:
    """Take matplotlib's own colours, fonts and numbered ids from an element: the page has its own."""
    gid = element.get("id", "")
    style = element.get("style", "")
    if element.tag == f"{{{SVG}}}text":
        anchor = re.search(r"text-anchor: \w+", style)
        element.set("style", anchor[0] if anchor else "")
    elif gid.startswith(BAR):
        kind, words = gid.removeprefix(BAR).split(PARTED)
        element.set("class", kind)
        hint = ElementTree.SubElement(element, f"{{{SVG}}}title")
        hint.text = words
        drawn = " ".join(part.get("style", "") for part in element.iter())
        for part in element.iter():
            part.attrib.pop("style", None)
        if opacity := re.search(r"opacity: [\d.]+", drawn):
            element.set("style", opacity[0])
    elif gid.startswith("cut-"):
        element.set("class", "cut")
        for part in element.iter():
            part.attrib.pop("style", None)
    elif style:
        element.set("style", style.replace("#000000", "currentColor"))
    if gid and (gid.startswith((BAR, "cut-")) or re.search(r"_\d+$", gid)):
        del element.attrib["id"]
