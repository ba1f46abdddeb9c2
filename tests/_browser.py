"""A real browser without a window: Debian's Chromium, driven by selenium."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.remote.webelement import WebElement

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
CONTRAST = (Path(__file__).parent / "_contrast.js").read_text(encoding="utf-8")


def find_chromium() -> tuple[str, str]:
    """Return where Chromium and its driver are; install them where that is possible, else skip the test."""
    if (
        not (shutil.which("chromium") and shutil.which("chromedriver"))
        and os.geteuid() == 0
        and shutil.which("apt-get")
    ):
        subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
        command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, check=False, capture_output=True, env=environment)
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("no Chromium with its driver (Debian: apt install chromium chromium-driver)")
    return browser, driver


@contextmanager
def browsing(folder: Path) -> Iterator["Browser"]:
    """Start Chromium with an empty profile; what it downloads comes into the folder."""
    browser, driver = find_chromium()
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        chrome.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        yield Browser(chrome)
    finally:
        chrome.quit()


class Browser:
    """What the tests do with a page."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def open(self, page: Path, size_px: tuple[int, int] = (1280, 800), scheme: str = "light") -> None:
        """Show a page on a screen of this size, in light or dark."""
        width, height = size_px
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        chosen = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", chosen)
        self.chrome.get(page.as_uri())

    def ask(self, script: str) -> Any:
        """Return what a piece of JavaScript returns."""
        return self.chrome.execute_script(script)

    def one(self, selector: str) -> WebElement:
        """Return the element that a CSS selector names."""
        return self.chrome.find_element("css selector", selector)

    def shown(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector that are to be seen."""
        found: list[WebElement] = self.ask(
            f"return [...document.querySelectorAll({selector!r})].filter((e) => e.getClientRects().length)"
        )
        return found

    def faint(self) -> list[str]:
        """Return texts whose contrast to what is behind them is below 4.5, as WCAG 2 AA asks for."""
        found: list[str] = self.ask(CONTRAST)
        return found

    def screenshot(self, path: Path, height_px: int) -> None:
        """Write the upper part of the page as PNG."""
        clip = {"x": 0, "y": 0, "width": self.ask("return innerWidth"), "height": height_px, "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        taken = self.chrome.execute_cdp_cmd("Page.captureScreenshot", options)
        path.write_bytes(base64.b64decode(taken["data"]))
