"""The page shows what deduplicate measured: the chart counts every frame, and pictures stand beside their distance."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scripts._files import write_json
from scripts._splits import Splitting
from scripts.report import LAST_BITS, histogram, read_copies
from tests._planted import SHARES, far_hashes, planted, row_of

COUNTS = st.lists(st.integers(0, 10**6), max_size=65)


@settings(deadline=None)
@given(COUNTS, COUNTS, st.integers(0, 32))
def test_the_chart_counts_every_frame_inside_its_frame_and_on_its_side_of_the_cut(
    dropped: list[int], kept: list[int], cut: int
) -> None:
    counts = {"dropped": dropped[: cut + 1], "told_apart": dropped[: cut + 1], "kept": [0] * (cut + 1) + kept}
    chart = histogram(counts, cut)
    for kind, of in counts.items():
        assert sum(bar["n"] for bar in chart["bars"] if bar["kind"] == kind) == sum(of) == sum(chart["bins"][kind])
    right, floor = chart["left"] + chart["bin"] * (LAST_BITS + 2), chart["top"] + chart["high"]
    for bar in chart["bars"]:
        assert chart["left"] <= bar["x"] and bar["x"] + bar["wide"] <= right
        assert chart["top"] - 0.1 <= bar["y"] and abs(bar["y"] + bar["tall"] - floor) <= 0.11 and bar["tall"] > 0
        assert (bar["x"] >= chart["cut_x"]) is (bar["kind"] == "kept")
    for bar in chart["bars"]:
        higher = [other for other in chart["bars"] if other["n"] > bar["n"]]
        assert all(other["tall"] >= bar["tall"] for other in higher)
    assert all(chart["top"] - 0.1 <= tick["y"] < floor for tick in chart["ticks"])


def test_pairs_have_small_pictures_names_and_times(tmp_path: Path) -> None:
    for video, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / video).mkdir()
        Image.new("RGB", (1920, 1080), colour).save(tmp_path / video / "000000500.jpg")
    pair: dict[str, Any] = {
        "frames": ["a/000000500.jpg", "b/000000500.jpg"],
        "roles": ["core", "crop5"],
        "distance_bits": 3,
    }
    measured: dict[str, Any] = {
        "max_distance_bits": 8,
        "counts": {"dropped": [0, 0, 0, 1], "told_apart": [], "kept": []},
    }
    write_json(tmp_path / "distances.json", measured | {"pairs": {"dropped": [pair], "kept": [], "told_apart": []}})
    times_s = dict.fromkeys(pair["frames"], 0.5)
    copies = read_copies(tmp_path / "distances.json", {v: tmp_path / v for v in "ab"}, times_s)
    (shown,) = copies["pairs"]["dropped"]
    assert shown["seen"] == ["a at 0.5 s", "b at 0.5 s"]
    assert all(len(source) < 20_000 for source in shown["sources"]) and len(set(shown["sources"])) == 2


def test_the_section_says_in_words_what_the_chart_draws(tmp_path: Path) -> None:
    scenes = far_hashes(8, 4)
    hashes = {"a": [scenes[0], scenes[0] ^ 0b11], "b": [scenes[0] ^ 0b111, *scenes[1:5]], "c": scenes[5:]}
    planted(tmp_path, {video: row_of(video) for video in hashes}, hashes, Splitting(SHARES, 0, "video"))
    page = (tmp_path / "report.html").read_text()
    words = " ".join(re.sub(r"<[^>]+>", "", page[page.index("<h2>Copies") : page.index("<h2>Videos")]).split())
    assert (
        "Of 10 frames that passed the filter, 2 are copies and were dropped: 1 of a frame of the same video, 1 of"
        in words
    )
    chart = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0])
    ids = [element.get("id") for element in chart.iter() if element.get("id")]
    assert chart.get("role") == "img" and chart.get("aria-labelledby") == " ".join(map(str, ids))
    told = "".join(element.text or "" for element in chart.iter() if element.tag == "desc")
    assert "dropped, by distance to the frame that stands for it: 1 at 2 bits, 1 at 3 bits." in told
    assert "the filter saw other objects in the nearest kept frame: none." in told
    kept = json.loads((tmp_path / "distances.json").read_text())["counts"]["kept"]
    nearest = np.flatnonzero(kept)[0]
    assert f"nearest other kept frame: {kept[nearest]} at {nearest} bits" in told
    assert "3 bits apart: b at 0.0 s and a at 0.0 s" in words and "the filter model misses" not in words


def test_without_copies_there_is_a_chart_without_bars_and_no_pair(tmp_path: Path) -> None:
    planted(tmp_path, {"a": row_of("a")}, {"a": far_hashes(1, 5)}, Splitting(SHARES, 0, "video"))
    page = (tmp_path / "report.html").read_text()
    section = page[page.index("<h2>Copies") : page.index("<h2>Videos")]
    assert "Of 1 frames that passed the filter, 0 are copies" in section
    assert "<rect" not in section and "<h3>" not in section and "max_distance_bits: 8</text>" in section
