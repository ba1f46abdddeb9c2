"""The report of the demo in a real browser, by itself and inside Snakemake's own; docs/report.png is made here."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests._browser import Browser, browsing
from tests._run import Finished
from tests.conftest import REPO

HEIGHT_PX = 1560  # of the screenshot: down to the thresholds
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that all tests of this file share."""
    with browsing(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


def test_the_demos_page_shows_all_its_pictures_without_a_complaint(
    finished: Finished, browser: Browser, tmp_path: Path
) -> None:
    browser.open(finished[0].folder / "results/report.html")
    lazy = "document.images].map((i) => { i.loading = 'eager'; return i.decode().then(() => i.naturalWidth) })"
    widths = browser.ask(f"return Promise.all([...{lazy})")
    assert len(widths) > 60 and all(widths)
    assert browser.chrome.get_log("browser") == []  # type: ignore[no-untyped-call]
    browser.screenshot(tmp_path / "report.png", HEIGHT_PX)
    with Image.open(tmp_path / "report.png") as taken:
        assert taken.size == (1280, HEIGHT_PX)
        small = taken.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(tmp_path / "small.png", optimize=True)
    assert (tmp_path / "small.png").stat().st_size <= MOST_BYTES
    if os.environ.get("REELSIEVE_WRITE_DOCS"):
        (REPO / "docs/report.png").write_bytes((tmp_path / "small.png").read_bytes())


def test_times_per_stage_stand_beside_the_results_and_not_in_them(finished: Finished, browser: Browser) -> None:
    browser.open(finished[0].folder / "benchmarks/times.html")
    stages = browser.ask("return [...document.querySelectorAll('tbody th')].map((cell) => cell.textContent)")
    assert {"extract_frames", "filter_frames", "detect_objects", "export_dataset"} <= set(stages)
    assert browser.chrome.get_log("browser") == []  # type: ignore[no-untyped-call]
    browser.one("nav a").click()
    assert browser.chrome.title == "reelsieve report"


def test_snakemakes_own_report_holds_the_page_the_registry_and_the_times(
    finished: Finished, browser: Browser, tmp_path: Path
) -> None:
    page = tmp_path / "snakemake.html"
    outcome = finished[0].copy(tmp_path / "run").snakemake("--report", str(page))
    assert outcome.code == 0, outcome.text[-2000:]
    browser.open(page)
    shown = browser.ask("return document.body.innerText")
    assert all(category in shown for category in ("Dataset", "Videos", "Times"))
    text = page.read_text()
    assert "Results of the run" in text and "reelsieve made a dataset" in text
    complaints = browser.chrome.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [line for line in complaints if line["level"] == "SEVERE"]  # its style's own warning aside
