"""A chart draws every number on its side of the threshold, repeats it as text, and takes its colours from the page."""

import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.report.charts import Drawing, Histogram, draw_histogram, draw_map
from scripts.report.histograms import KINDS, LAST_BITS, distance_histogram
from scripts.report.page import templates

COUNTS = st.lists(st.integers(0, 10**6), max_size=65)
CHART = Histogram("size", "Size", "px", (0, 1, 10, np.inf), {"kept": [3, 0, 70], "dropped": [0, 5, 0]}, {"min": 4})
ATTACK = '"><script>'


def svg_of(drawing: Drawing) -> str:
    """Return the SVG that the page contains."""
    return templates().from_string('{% import "charts.jinja" as draw %}{{ draw.svg(it) }}').render(it=drawing)


def count_of(tooltip: str) -> int:
    """Return the number at the start of a tooltip."""
    return int(tooltip.split()[0].replace(",", ""))


@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS, st.integers(0, 32))
def test_every_frame_is_in_a_bar_on_its_side_of_the_threshold(dropped: list[int], kept: list[int], limit: int) -> None:
    counts = {"dropped": dropped[: limit + 1], "told_apart": dropped[: limit + 1], "kept": [0] * (limit + 1) + kept}
    chart = distance_histogram(counts, limit)
    drawing = draw_histogram(chart)
    drawn = Counter[str]()
    for bar in drawing.bars:
        drawn[bar.kind] += count_of(bar.tooltip)
    assert drawn == Counter({KINDS.get(kind, kind): sum(of) for kind, of in counts.items()})
    (line,) = drawing.thresholds
    for bar in drawing.bars:
        assert bar.width > 0 and bar.height > 0 and bar.x >= 0 and bar.x + bar.width <= 100
        assert bar.y >= 0 and abs(bar.y + bar.height - 100) < 0.02, "a bar stands on the axis"
        assert (bar.x >= line.position) is (bar.kind == "kept")
        assert (bar.x + bar.width <= line.position) is (bar.kind != "kept")
    heights = [bar.height for bar in sorted(drawing.bars, key=lambda bar: count_of(bar.tooltip))]
    assert heights == sorted(heights), "the more frames, the higher the bar"
    assert len(chart.counts["kept"]) == LAST_BITS + 2


def test_bars_and_ticks_are_on_the_same_scale() -> None:
    chart = Histogram("ten", "Ten", "px", (0, 1, 2, 3, 4), {"objects": [1, 10, 99, 0]}, {})
    drawing = draw_histogram(chart)
    assert [tick.label for tick in drawing.y_ticks] == ["0", "1", "10", "100"]
    zero, one, ten, _ = (tick.position for tick in drawing.y_ticks)
    assert zero == 100.0 and [bar.y for bar in drawing.bars][:2] == [one, ten] and drawing.y_label == "objects"
    assert [(tick.position, tick.label) for tick in drawing.x_ticks] == [(0, "0"), (50, "2"), (100, "4")]
    large = draw_histogram(replace(chart, counts={"objects": [2_000_000_000, 0, 0, 0]}))
    assert [tick.label for tick in large.y_ticks][4:] == ["1k", "10k", "100k", "1M", "10M", "100M", "1,000M"]
    lower = draw_histogram(replace(chart, counts={"objects": [1, 10, 9, 0]}))
    assert [tick.label for tick in lower.y_ticks] == ["0", "1", "10"], "no tick is above the chart"


def test_labels_name_the_open_bin_and_whole_numbers_in_their_middle() -> None:
    open_ended = Histogram("side", "Side", "px", (0, 1, np.inf), {"objects": [1, 1]}, {})
    assert [tick.label for tick in draw_histogram(open_ended).x_ticks] == ["0", "more"]
    whole = Histogram("bits", "Bits", "bits", (0, 1, 2, np.inf), {"kept": [1, 1, 1]}, {"max": 1}, whole=True)
    drawing = draw_histogram(whole)
    assert [(tick.position, tick.label) for tick in drawing.x_ticks] == [(16.67, "0"), (83.33, ">1")]
    assert drawing.thresholds[0].position == 66.67, "a threshold of 1 is behind the bin of 1"
    assert [bar.tooltip for bar in drawing.bars] == ["1 kept: 0", "1 kept: 1", "1 kept: more than 1"]


def test_labels_of_two_thresholds_are_on_two_lines_and_inside_the_chart() -> None:
    low, high = draw_histogram(replace(CHART, edges=(0, 4, 8, 16), thresholds={"min": 4, "max": 15})).thresholds
    assert (low.label, high.label) == ("min: 4", "max: 15") and low.row != high.row
    assert (low.label_on_left, high.label_on_left) == (False, True)


def test_a_chart_repeats_its_numbers_as_text_and_takes_its_colours_from_the_page() -> None:
    svg = svg_of(draw_histogram(CHART))
    root = ElementTree.fromstring(svg)
    title, description = root.findall("title") + root.findall("desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}" and title.text == "Size"
    assert (
        description.text == "In px. Thresholds: min at 4. kept: 3 at 0 to 1, 70 at more than 10. dropped: 5 at 1 to 10."
    )
    tooltips = {bar.get("class"): bar.findtext("title") for bar in root.iter("rect")}
    assert tooltips == {"kept": "70 kept: more than 10", "dropped": "5 dropped: 1 to 10"}
    assert "min: 4" in root.itertext() and root.find(".//line[@class='threshold']") is not None
    assert not re.search(r"#[0-9a-f]{3}|<style|style=|script|nan|inf%", svg)
    ids = {element.get("id") for element in root.iter()} - {None}
    assert len(ids) == 2 and not any(f'id="{name}"' in svg_of(draw_histogram(replace(CHART, name="x"))) for name in ids)


def test_text_from_outside_is_escaped() -> None:
    svg = svg_of(draw_histogram(replace(CHART, title=ATTACK, counts={ATTACK: [1, 1, 1]}, thresholds={ATTACK: 1})))
    assert "<script" not in svg and ElementTree.fromstring(svg).findtext("title") == ATTACK


def test_an_empty_chart_has_its_threshold_and_no_bar() -> None:
    drawing = draw_histogram(Histogram("none", "None", "px", (0, 1, 2), {"kept": [0, 0]}, {"min": 1}))
    svg = svg_of(drawing)
    assert "<rect" not in svg and "min: 1" in svg and "kept: none" in svg
    assert svg_of(draw_histogram(Histogram("none", "None", "px", (0, 1, 2), {}, {}))).count("<svg") > 1


def test_a_cell_of_the_map_is_the_less_transparent_the_more_objects_cover_it() -> None:
    drawing = draw_map("map", "Map", np.array([[0.0, 0.25], [0.25, 0.5]]))
    assert [(bar.x, bar.y, bar.opacity) for bar in drawing.bars] == [(50, 0, 0.5), (0, 50, 0.5), (50, 50, 1.0)]
    assert drawing.bars[0].tooltip == "25.0% of the objects cover this part"
    assert "row 2 of 2, column 2 of 2" in drawing.description
    rects = list(ElementTree.fromstring(svg_of(drawing)).iter("rect"))
    assert [rect.get("fill-opacity") for rect in rects] == ["0.5", "0.5", None] and rects[0].get("class") == "cell"
    assert draw_map("map", "Map", np.zeros((2, 2))).bars == []
