"""The page repeats the results of the stages in words, and is the same for the same tables."""

import json
import re
from pathlib import Path
from typing import Any

from scripts.dataset.splits import Splitting
from scripts.inputs.columns import REGISTRY_COLUMNS
from scripts.report.report import read_provenance, registry_row, registry_tsv
from tests._exported import RECORD
from tests._planted import SHARES, far_hashes, made_with, reported, row_of

BY_VIDEO = Splitting(SHARES, 0, "video")


def text_of(page: str, start: str, end: str) -> str:
    """Return the text of a part of the page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index(start) : page.index(end)]).split())


def test_the_section_on_copies_repeats_the_chart_in_words(tmp_path: Path) -> None:
    scenes = far_hashes(8, 4)
    hashes = {"a": [scenes[0], scenes[0] ^ 0b11], "b": [scenes[0] ^ 0b111, *scenes[1:5]], "c": scenes[5:]}
    reported(tmp_path, {video: row_of(video) for video in hashes}, hashes, BY_VIDEO)
    page = (tmp_path / "report.html").read_text()
    text = text_of(page, '<section id="copies">', '<section id="splits">')
    assert "Of 10 frames that passed the filter, 2 were dropped as copies: 1 of a frame in the same video, 1 of" in text
    (description,) = re.findall(r'<desc id="distance-text">([^<]*)', page)
    kept = json.loads((tmp_path / "distances.json").read_text())["counts"]["kept"]
    nearest = next(bits for bits, n in enumerate(kept) if n)
    assert "dropped: 1 at 2, 1 at 3. kept: " in description and "near misses: none." in description
    assert f"{kept[nearest]} at {nearest}" in description
    assert "3 bits apart b at 0\N{NO-BREAK SPACE}s and a at 0\N{NO-BREAK SPACE}s" in page.replace("</span>", "")
    assert "Near-misses" not in text
    group = text_of(page, "Groups of copies", "Dropped, closest to the threshold")
    assert re.search(r"kept a at 0.s 3 bits b at 0.s 2 bits a at 1.s", group), "the most distant copy comes first"


def test_a_run_without_copies_and_failures_has_short_sections(tmp_path: Path) -> None:
    reported(tmp_path, {"a": row_of("a")}, {"a": far_hashes(1, 5)}, BY_VIDEO)
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('<section id="copies">') : page.index('<section id="splits">')]
    assert "Of 1 frame that passed the filter, 0 were dropped as copies" in section and "<h3>" not in section
    assert "No video failed." in page and "No frame was dropped." in page
    assert "dedup.max_distance_bits: 8</text>" in page


def test_a_run_without_objects_has_a_page_that_leads_to_the_lost_frames(tmp_path: Path) -> None:
    reported(tmp_path, {"a": row_of("a"), "b": row_of("b")}, {"a": [], "b": []}, BY_VIDEO)
    page = (tmp_path / "report.html").read_text()
    assert 'nothing to train on. See <a href="#lost">' in page and "The dataset has no images." in page


def test_the_same_tables_give_the_same_page(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        hashes = {"a": far_hashes(5, 1), "b": far_hashes(4, 2)}
        reported(tmp_path / name, {v: row_of(v) for v in hashes}, hashes, BY_VIDEO)
        pages.append((tmp_path / name / "report.html").read_bytes())
    assert pages[0] == pages[1]


def test_the_page_does_not_name_the_commit(tmp_path: Path) -> None:
    provenance = read_provenance(made_with(tmp_path))
    assert provenance["workflow"] == {"code": {"report": "89ef"}} and "settings" in provenance


def test_the_registry_counts_the_frames_of_a_video_at_each_stage() -> None:
    stages = ["extract_frames", "filter_frames", "deduplicate", "export_dataset", "export_dataset"]
    ledger: list[Any] = [{"stage": stage, "split": "", "file": ""} for stage in stages]
    ledger[-1] |= {"split": "val", "file": "images/val/a.jpg"}
    labels: list[Any] = [{"classes": ["dog", "cat"]}, {"classes": []}]
    gathered: Any = {"record": RECORD | {"url": "u", "message": ""}, "note": "no frame is sharp"}
    row = registry_row("a", {"split": "", "extra": {"camera": "north", "video": "b"}}, gathered, ledger, labels)
    counts = [row[name] for name in ("frames", "looked_at", "passed", "kept", "exported", "objects")]
    assert counts == [5, 4, 3, 2, 1, 2] and (row["split"], row["message"]) == ("val", "no frame is sharp")
    assert (row["video"], row["camera"]) == ("a", "north"), "the user's columns replace none of the registry's"


def test_the_registry_has_one_line_per_video_and_the_users_columns_last() -> None:
    row = dict.fromkeys(REGISTRY_COLUMNS) | {"video": "a", "message": "two\nlines\tand a tab", "camera": "north"}
    head, line = (line.split("\t") for line in registry_tsv([row]).splitlines())
    assert head == [*REGISTRY_COLUMNS, "camera"] and line[0] == "a" and line[-1] == "north"
    assert line[head.index("message")] == "two lines and a tab" and line[head.index("url")] == ""
    assert registry_tsv([]).splitlines() == ["\t".join(REGISTRY_COLUMNS)]
