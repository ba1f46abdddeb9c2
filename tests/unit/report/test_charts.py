"""Charts draw every number inside their frame, on its side of the cut, say it in words, and take no colours along."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.report.charts import SVG, Histogram, draw_histogram, draw_map
from scripts.report.histograms import LAST_BITS, distance_histogram

COUNTS = st.lists(st.integers(0, 10**6), max_size=65)
CHART = Histogram("size", "Size", "px", (0, 1, 10, np.inf), {"kept": [3, 0, 70], "dropped": [0, 5, 0]}, {"min": 4})


def bars(svg: str) -> list[tuple[str, str, list[float]]]:
    """Return kind, words, and left, right, top and floor of each bar."""
    found = []
    for group in ElementTree.fromstring(svg).iter(f"{{{SVG}}}g"):
        hint = group.find(f"{{{SVG}}}title")
        if hint is not None:
            path = group.find(f"{{{SVG}}}path")
            assert path is not None
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d", ""))]
            xs, ys = numbers[0::2], numbers[1::2]
            found.append((group.get("class", ""), hint.text or "", [min(xs), max(xs), min(ys), max(ys)]))
    return found


@settings(deadline=None, max_examples=12)
@given(COUNTS, COUNTS, st.integers(0, 32))
def test_every_frame_is_in_a_bar_on_its_side_of_the_cut(dropped: list[int], kept: list[int], cut: int) -> None:
    counts = {"dropped": dropped[: cut + 1], "told_apart": dropped[: cut + 1], "kept": [0] * (cut + 1) + kept}
    chart = distance_histogram(counts, cut)
    svg = draw_histogram(chart)
    drawn = bars(svg)
    for kind, of in counts.items():
        assert sum(int(words.split()[0]) for k, words, _ in drawn if k == kind) == sum(of) == sum(chart.counts[kind])
    _, _, width, height = map(float, str(ElementTree.fromstring(svg).get("viewBox")).split())
    line = re.search(r'class="cut">\s*<path d="M ([\d.]+)', svg)
    assert line
    for kind, _, (left, right, top, floor) in drawn:
        assert 0 <= left < right <= width and 0 <= top < floor <= height
        assert (left >= float(line[1])) is (kind == "kept") and (right <= float(line[1])) is (kind != "kept")
    by_height = sorted(drawn, key=lambda bar: bar[2][2])
    sizes = [int(words.split()[0]) for _, words, _ in by_height]
    assert sizes == sorted(sizes, reverse=True)  # the higher, the more
    assert len(chart.counts["kept"]) == LAST_BITS + 2


def test_the_same_numbers_give_the_same_bytes_whatever_the_user_has_set() -> None:
    first = draw_histogram(CHART), draw_map("m", "Map", np.eye(3))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9, "svg.fonttype": "path"}):
        assert (draw_histogram(CHART), draw_map("m", "Map", np.eye(3))) == first


def test_a_chart_says_in_words_what_it_draws_and_takes_its_colours_from_the_page() -> None:
    svg = draw_histogram(CHART)
    root = ElementTree.fromstring(svg)
    ids = [element.get("id") for element in root.iter() if element.tag in (f"{{{SVG}}}title", f"{{{SVG}}}desc")]
    assert root.get("role") == "img" and root.get("aria-labelledby") == " ".join(str(i) for i in ids if i)
    told = "".join(element.text or "" for element in root.iter(f"{{{SVG}}}desc"))
    assert told == "In px. Cuts: min at 4. kept: 3 at 0 to 1, 70 at more than 10. dropped: 5 at 1 to 10."
    assert not re.findall(r"#[0-9a-f]{6}", svg) and "<style" not in svg and "script" not in svg
    assert not set(re.findall(r' id="([^"]+)"', svg)) & set(
        re.findall(r' id="([^"]+)"', draw_histogram(Histogram("other", *list(vars(CHART).values())[1:])))
    )


def test_an_empty_chart_has_its_cut_and_no_bar() -> None:
    svg = draw_histogram(Histogram("none", "None", "px", (0, 1, 2), {"kept": [0, 0]}, {"min": 1}))
    assert bars(svg) == [] and "min: 1" in svg and "kept: none" in svg


def test_a_cell_of_the_map_is_the_fuller_the_more_objects_cover_it() -> None:
    share = np.array([[0.0, 0.25], [0.5, 1.0]])
    root = ElementTree.fromstring(draw_map("map", "Map", share))
    cells = [group for group in root.iter(f"{{{SVG}}}g") if group.get("class") == "cell"]
    assert [float(re.sub(r"[^\d.]", "", cell.get("style", "1"))) for cell in cells] == share.ravel().tolist()
