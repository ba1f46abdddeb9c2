"""The page in a real browser: it is small with 10,000 frames, works with mouse and keys, and runs no foreign script."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests._browser import Browser, browsing
from tests._forged import ATTACKS, CLASSES, FAILED, N_VIDEOS, forge

SCREENS = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1200)}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a run of 10,000 frames."""
    return forge(tmp_path_factory.mktemp("forged"))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that all tests of this file share."""
    with browsing(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser, page: Path) -> Browser:
    """Return the browser with the page freshly opened."""
    chromium.open(page)
    return chromium


def shown_of(browser: Browser, selector: str, key: str) -> list[str]:
    """Return a data attribute of each visible element."""
    found: list[str] = browser.ask(
        f"return [...document.querySelectorAll('#samples {selector}')]"
        f".filter((e) => e.getClientRects().length).map((e) => e.dataset.{key})"
    )
    return found


def column(browser: Browser, number: int) -> list[str]:
    found: list[str] = browser.ask(
        "return [...document.querySelectorAll('#stats tbody tr')].filter((row) => row.getClientRects().length)"
        f".map((row) => row.cells[{number}].dataset.v ?? row.cells[{number}].textContent.trim())"
    )
    return found


def test_ten_thousand_frames_of_noise_stay_within_25_mb(page: Path) -> None:
    assert page.stat().st_size <= 25e6
    assert page.read_text().count('<figure data-video="') == 240


def test_each_class_and_split_has_samples_and_the_filters_show_only_these(browser: Browser) -> None:
    everything = len(shown_of(browser, "figure", "split"))
    for number, name in enumerate(sorted(CLASSES)):
        Select(browser.one("[name=class]")).select_by_visible_text(name)
        shown = shown_of(browser, "figure", "classes")
        assert 0 < len(shown) < everything and all(str(number) in classes.split() for classes in shown)
        assert set(shown_of(browser, "g", "c")) == {str(number)}
        assert set(shown_of(browser, "figure", "split")) == {"train", "val", "test"}
    for split in ("train", "val", "test"):
        Select(browser.one("[name=split]")).select_by_visible_text(split)
        shown = shown_of(browser, "figure", "split")
        assert set(shown) == {split} and browser.one("#count").text == f"{len(shown)} shown"
    browser.one("[type=reset]").click()  # the page reacts a moment later
    WebDriverWait(browser.chrome, 5).until(lambda _: len(shown_of(browser, "figure", "split")) == everything)


def test_no_box_below_the_chosen_confidence_is_shown(browser: Browser) -> None:
    browser.one("[name=confidence]").send_keys(Keys.END, *[Keys.LEFT] * 4)
    assert browser.one("[name=confidence]").get_attribute("value") == "0.8"
    sure = [float(confidence) for confidence in shown_of(browser, "g", "p")]
    assert sure and min(sure) >= 0.8
    browser.one("[name=boxes]").click()
    assert not shown_of(browser, "g", "p")


def test_samples_can_be_sorted_by_confidence_or_number_of_objects(browser: Browser) -> None:
    before = shown_of(browser, "figure", "classes")
    per_sample = (
        "return [...document.querySelectorAll('#samples figure')].filter((e) => e.getClientRects().length)"
        ".map((e) => [...e.querySelectorAll('g')].filter((g) => g.getClientRects().length).map((g) => +g.dataset.p))"
    )
    order = Select(browser.one("[name=order]"))
    Select(browser.one("[name=class]")).select_by_visible_text(CLASSES[0])  # only visible boxes count
    order.select_by_visible_text("lowest confidence first")
    least = [min(boxes) for boxes in browser.ask(per_sample)]
    assert least == sorted(least) and least[0] < least[-1]
    order.select_by_visible_text("most objects first")
    counts = [len(boxes) for boxes in browser.ask(per_sample)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
    browser.one("[type=reset]").click()
    WebDriverWait(browser.chrome, 5).until(lambda _: shown_of(browser, "figure", "classes") == before)


def test_a_click_on_a_video_shows_its_samples(browser: Browser) -> None:
    link = browser.one("#stats [data-pick]")
    link.click()
    assert (
        set(shown_of(browser, "figure", "video")) == {link.text} and browser.ask("return location.hash") == "#gallery"
    )


def test_the_keyboard_sorts_the_table_in_both_directions(browser: Browser) -> None:
    head = "#stats thead th:nth-child(13)"
    for order, direction in (("descending", -1), ("ascending", 1)):
        browser.one(f"{head} button").send_keys(Keys.ENTER)
        assert browser.one(head).get_attribute("aria-sort") == order
        sizes = column(browser, 12)
        numbers = [int(size) for size in sizes if size]
        assert numbers == sorted(numbers, key=lambda n: direction * n) and len(set(numbers)) > 90
        assert sizes[len(numbers) :] == [""] * len(FAILED)  # videos without media come last in both directions


def test_the_tab_key_reaches_a_link_to_the_content_and_focus_is_visible(browser: Browser) -> None:
    browser.one("body").send_keys(Keys.TAB)
    assert browser.ask("return document.activeElement.textContent") == "Skip to the report"
    assert browser.ask("return document.activeElement.getBoundingClientRect().left") >= 0
    browser.one("[name=class]").send_keys(Keys.TAB)
    assert browser.ask("return getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_the_exported_table_has_the_visible_rows_and_columns_and_no_formula(
    browser: Browser, chromium: Browser, tmp_path: Path
) -> None:
    chromium.chrome.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.one("[data-for=stats] input[type=search]").send_keys("video-00")
    assert len(column(browser, 0)) == 10 and browser.one("[data-for=stats] .count").text == f"10 of {N_VIDEOS} rows"
    browser.one("[data-for=stats] summary").click()
    browser.ask("document.querySelector('[data-for=stats] .menu input').click()")
    assert "Status" not in [cell.text for cell in browser.shown("#stats thead th")]
    browser.one("[data-for=stats] > button").click()
    WebDriverWait(browser.chrome, 20).until(lambda _: (tmp_path / "stats.tsv").exists())
    with (tmp_path / "stats.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["Video"] for row in rows] == column(browser, 0) and "Status" not in rows[0]
    titles = {row["Title"] for row in rows}
    assert titles == {f"'{ATTACKS[0]}", *ATTACKS[1:]}  # a spreadsheet takes the first for text


def test_foreign_scripts_do_not_run_and_the_page_sends_no_request(chromium: Browser, page: Path) -> None:
    chromium.chrome.get_log("browser")  # type: ignore[no-untyped-call]
    chromium.chrome.get_log("performance")  # type: ignore[no-untyped-call]
    chromium.open(page)
    assert chromium.chrome.get_log("browser") == []  # type: ignore[no-untyped-call]
    assert chromium.ask("return window.attacked ?? null") is None
    assert chromium.ask("return document.scripts.length") == 1
    assert not chromium.ask("return [...document.links].filter((a) => a.protocol === 'javascript:').length")
    events = chromium.chrome.get_log("performance")  # type: ignore[no-untyped-call]
    requests = [e["message"] for e in events if '"Network.requestWillBeSent"' in e["message"]]
    assert requests and not [message for message in requests if '"url":"http' in message]
    blocked = "return fetch('data:,x').then(() => 'loaded', () => 'refused')"
    assert chromium.ask(blocked) == "refused"  # the page's own policy, before any network


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_no_text_is_faint_and_no_page_is_wider_than_its_screen(
    chromium: Browser, page: Path, screen: str, scheme: str
) -> None:
    chromium.open(page, SCREENS[screen], scheme)
    assert chromium.ask("return document.documentElement.scrollWidth") <= SCREENS[screen][0]
    dark = sum(map(int, chromium.ask("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"))) < 384
    assert dark is (scheme == "dark")
    assert chromium.faint() == []


@pytest.mark.parametrize("screen", SCREENS)
def test_the_text_of_charts_is_readable_and_inside_its_card(chromium: Browser, page: Path, screen: str) -> None:
    chromium.open(page, SCREENS[screen])
    sizes, outside = chromium.ask(
        "const texts = [...document.querySelectorAll('.chart text')];"
        "const isOutside = (text) => {"
        "  const [inner, outer] = [text, text.closest('.card')].map((e) => e.getBoundingClientRect());"
        "  return inner.left < outer.left || inner.right > outer.right || inner.top < outer.top; };"
        "return [texts.map((text) => parseFloat(getComputedStyle(text).fontSize)),"
        " texts.filter(isOutside).map((text) => text.textContent)]"
    )
    assert len(sizes) > 80 and min(sizes) >= 11 and outside == []


def test_each_image_and_chart_has_a_text(browser: Browser) -> None:
    alts = browser.ask("return [...document.images].map((image) => image.alt)")
    assert len(alts) > 240 and all(alts)
    words = "return [...document.querySelectorAll('svg[role=img]')].map((svg) => svg.getAttribute('aria-labelledby')"
    charts = browser.ask(words + ".split(' ').map((id) => document.getElementById(id)?.textContent ?? ''))")
    assert len(charts) >= 7 and all(title and len(text) > 20 for title, text in charts)
    ids = browser.ask("return [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert not browser.ask(
        "return [...document.querySelectorAll('input, select, button')]"
        ".filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim())).length"
    )
