"""The page says in words what deduplicate measured, and is the same for the same tables."""

import json
import re
from pathlib import Path

from scripts.dataset.splits import Splitting
from tests._planted import SHARES, far_hashes, reported, row_of


def words_of(page: str, start: str, end: str) -> str:
    """Return the text of a part of the page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index(start) : page.index(end)]).split())


def test_the_section_says_in_words_what_the_chart_draws(tmp_path: Path) -> None:
    scenes = far_hashes(8, 4)
    hashes = {"a": [scenes[0], scenes[0] ^ 0b11], "b": [scenes[0] ^ 0b111, *scenes[1:5]], "c": scenes[5:]}
    reported(tmp_path, {video: row_of(video) for video in hashes}, hashes, Splitting(SHARES, 0, "video"))
    page = (tmp_path / "report.html").read_text()
    words = words_of(page, '<section id="copies">', '<section id="splits">')
    assert (
        "Of 10 frames that passed the filter, 2 are copies and were dropped: 1 of a frame of the same video, 1" in words
    )
    (told,) = re.findall(r'<desc id="distance-text">([^<]*)', page)
    kept = json.loads((tmp_path / "distances.json").read_text())["counts"]["kept"]
    nearest = next(bits for bits, n in enumerate(kept) if n)
    assert (
        "dropped: 1 at 2, 1 at 3. kept: " in told
        and "told apart: none." in told
        and f"{kept[nearest]} at {nearest}" in told
    )
    assert "3 bits apart b at 0\N{NO-BREAK SPACE}s and a at 0\N{NO-BREAK SPACE}s" in page.replace("</span>", "")
    assert "the filter model misses" not in words
    group = words_of(page, "Groups of copies", "Dropped, nearest below")
    assert re.search(r"kept a at 0.s 3 bits b at 0.s 2 bits a at 1.s", group)  # the furthest first


def test_without_copies_and_failures_it_is_said(tmp_path: Path) -> None:
    reported(tmp_path, {"a": row_of("a")}, {"a": far_hashes(1, 5)}, Splitting(SHARES, 0, "video"))
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('<section id="copies">') : page.index('<section id="splits">')]
    assert "Of 1 frames that passed the filter, 0 are copies" in " ".join(section.split()) and "<h3>" not in section
    assert "every video of the table was had" in page and "No frame was dropped" in page
    assert "dedup.max_distance_bits: 8</text>" in page


def test_without_any_video_that_passed_the_page_says_so_and_where_to_look(tmp_path: Path) -> None:
    reported(tmp_path, {"a": row_of("a"), "b": row_of("b")}, {"a": [], "b": []}, Splitting(SHARES, 0, "video"))
    page = (tmp_path / "report.html").read_text()
    assert "there is nothing to train on" in page and "No image is in the dataset." in page


def test_the_same_tables_give_the_same_page(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        hashes = {"a": far_hashes(5, 1), "b": far_hashes(4, 2)}
        reported(tmp_path / name, {v: row_of(v) for v in hashes}, hashes, Splitting(SHARES, 0, "video"))
        pages.append((tmp_path / name / "report.html").read_bytes())
    assert pages[0] == pages[1]
