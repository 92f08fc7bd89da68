"""Take the README's picture of a report.

    unitalk eval ... --report PAGE.html && python docs/make_report.py PAGE.html docs/report.png

The top of the page at 1200 pixels, down to where the section after the curves begins, by headless
Chromium (Debian's packages chromium and chromium-driver) and selenium. The picture is reduced to
few colours.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTH, MARGIN, COLOURS = 1200, 24, 128
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def main(page: str, picture: str) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={WIDTH},1000"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            taken = take(browser, Path(page).resolve().as_uri())
        finally:
            browser.quit()
    shot = Image.open(io.BytesIO(taken)).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def take(browser: webdriver.Chrome, address: str) -> bytes:
    """Return the page's top as PNG."""
    media = [{"name": "prefers-color-scheme", "value": "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    size = {"width": WIDTH, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(address)
    end = browser.execute_script(
        "const next = document.querySelector('#curves + section, footer');"
        "return next.getBoundingClientRect().top + scrollY"
    )
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": int(end) - MARGIN, "scale": 1}
    asked = {"format": "png", "clip": clip, "captureBeyondViewport": True}
    return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])


if __name__ == "__main__":
    main(*sys.argv[1:])
