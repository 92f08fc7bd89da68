"""The page in a real browser: sorting, copying, a phone's width, the dark, paper, no script.

Debian's packages `chromium` and `chromium-driver` are looked for where they install; without them,
or without selenium, these tests are skipped.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pages import (
    DRAWN,
    GROUPS,
    HOSTILE,
    OWN,
    SIX,
    evaluation_of,
    group_of,
    many_rows,
    rows_of,
    write_face,
)

from unitalk.layout import Layout
from unitalk.score.report import page
from unitalk.score.result import Difference

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")

pytest.importorskip("selenium", reason='no selenium: pip install ".[test]"')
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()),
    reason="no browser: apt-get install chromium chromium-driver",
)

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1200,1000",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """One browser for all tests of this file."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


class Browser:
    """The driver, with what the tests need by short names."""

    def __init__(self, driver) -> None:
        self.driver = driver
        self.run = driver.execute_script
        self.cdp = driver.execute_cdp_cmd

    def all(self, css: str):
        return self.driver.find_elements("css selector", css)

    def one(self, css: str):
        return self.driver.find_element("css selector", css)

    def texts(self, css: str) -> list[str]:
        return [element.text for element in self.all(css)]

    def screen(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.cdp("Emulation.setDeviceMetricsOverride", size)

    def media(self, media: str = "", scheme: str = "light") -> None:
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # nothing moves under a click
        ]
        self.cdp("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def pasted(self) -> str:
        """What Ctrl+V leaves in a fresh text area."""
        from selenium.webdriver import ActionChains, Keys

        self.run("const a = document.createElement('textarea'); document.body.append(a); a.focus()")
        keys = ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("v")
        keys.key_up(Keys.CONTROL).perform()
        return self.run("const t = document.activeElement; t.remove(); return t.value")


@pytest.fixture
def browser(chromium):
    """The browser as a reader has it: a wide screen, light, nothing in the logs."""
    made = Browser(chromium)
    made.cdp("Emulation.setScriptExecutionDisabled", {"value": False})
    made.screen(1200)
    made.media()
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    return made


LONG = "a-system-with-a-name-that-nobody-would-break-" * 3

VIDEOS = [
    *SIX,  # a: 100 %, b: 83.33 %
    *rows_of("c", "c:1", "--", (0.1, 0.2)),
    *rows_of("d", "d:1", "x-" * 600, np.linspace(0, 1, 1200), start=10),
    *rows_of("e", "e:1", "-x-", (0.6, 0.5, 0.4)),
]
"""d's faces rise with time, and a face that does not speak is above the one before: its scores
from the top are -, x, -, x, ... so that precision is at most 1/2, at the very end: 50 %.
e is - x -: 1/2 as well."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The addresses of a page of one system, with faces, and one of three."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pages")
    for moment in (0, 0.04, 0.08):
        write_face(Layout(folder / "data"), "b", "b:1", moment, Image.new("RGB", (64, 64), "red"))
    one = evaluation_of(
        VIDEOS, name=HOSTILE, average_precision=0.7, interval=(0.6, 0.8), groups=GROUPS,
        resamples=DRAWN, warnings=("a warning that is to be read",), signature="ap:ava|<b>|x:1",
        metrics=OWN,
    )  # fmt: skip
    groups = (*GROUPS[:2], group_of({"category": "a/very/long/name" * 5}), GROUPS[2])
    upside_down = [replace(row, score=-row.score) for row in VIDEOS]
    three = [
        evaluation_of(VIDEOS, name="base", groups=groups, resamples=DRAWN),
        evaluation_of(upside_down, name=LONG, groups=groups, resamples=DRAWN),
        evaluation_of(VIDEOS, name="third", groups=groups, resamples=DRAWN),
    ]
    differences = [
        Difference(
            system=LONG, baseline="base", by=group.by, difference=-0.02, interval=(-0.1, 0.04),
            p_value=0.4, flags=(),
        )
        for group in groups
    ]  # fmt: skip
    many = evaluation_of(many_rows(1200, 1, 6, 3))
    texts = {
        "one": page([one], (), dataset=folder / "data"),
        "three": page(three, differences),
        "many": page([many], ()),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


# ------------------------------------------------------------------------------ loading


@pytest.mark.parametrize("name", ["one", "three", "many"])
def test_the_console_is_silent_and_nothing_is_asked_of_the_network(browser, pages, name):
    browser.driver.get(pages[name])
    assert browser.driver.get_log("browser") == []
    events = [json.loads(e["message"])["message"] for e in browser.driver.get_log("performance")]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert [url for url in asked if url.startswith("file:")] == [pages[name]]


def test_a_hostile_name_is_a_name_and_faces_are_shown_though_nothing_else_may_be(browser, pages):
    browser.driver.get(pages["one"])  # an alert would make every further call fail
    assert browser.one("h1").text == HOSTILE
    assert browser.run("return document.scripts.length") == 1
    assert browser.run("return getComputedStyle(document.querySelector('h1')).fontWeight") == "650"
    ((complete, natural, width),) = browser.run(
        "return Array.from(document.images, (i) => [i.complete, i.naturalWidth, i.clientWidth])"
    )
    assert complete
    assert min(natural, width) > 500


def test_a_script_or_a_style_that_is_not_the_pages_own_is_refused(browser, pages):
    browser.driver.get(pages["one"])
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
        "document.body.append(s);"
        "document.body.setAttribute('style', 'background: red');"
    )
    assert browser.run("return window.broken") is None
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert len(browser.driver.get_log("browser")) == 2


# ------------------------------------------------------------------------------ sorting


def videos(browser) -> list[str]:
    return browser.texts("#videos tbody th")


def head(browser, column: int):
    return browser.all("#videos thead th")[column]


def test_a_click_or_a_key_sorts_by_a_column_and_a_second_one_turns_it_round(browser, pages):
    """AP 50, 50, 83.33, 100 and one undefined; faces 3, 3, 2, 1,200 and 3."""
    from selenium.webdriver import Keys

    browser.driver.get(pages["one"])
    assert videos(browser) == ["d", "e", "b", "a", "c"]
    assert head(browser, 1).get_attribute("aria-sort") == "ascending"
    head(browser, 1).find_element("tag name", "button").click()
    assert videos(browser) == ["a", "b", "d", "e", "c"]  # equals by name, the undefined last
    assert head(browser, 1).get_attribute("aria-sort") == "descending"
    faces = head(browser, 4).find_element("tag name", "button")
    faces.send_keys(Keys.ENTER)
    assert videos(browser) == ["c", "a", "b", "e", "d"]  # as numbers: 1,200 is the largest
    assert head(browser, 4).get_attribute("aria-sort") == "ascending"
    assert head(browser, 1).get_attribute("aria-sort") is None
    faces.click()
    assert videos(browser) == ["d", "a", "b", "e", "c"]
    head(browser, 0).find_element("tag name", "button").click()
    assert videos(browser) == ["a", "b", "c", "d", "e"]


# ------------------------------------------------------------------------------ reading values


def test_values_are_read_off_the_curve_by_keyboard_and_by_pointer(browser, pages):
    from selenium.webdriver import ActionChains, Keys

    browser.driver.get(pages["three"])
    slider = browser.one("#recall")
    before = browser.one("#values").text
    assert browser.one("#recall-said").text == "80 %"
    slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert browser.one("#recall-said").text == "2 %"
    assert browser.one("#values").text != before
    given = browser.one("[data-readings]").get_attribute("data-readings")
    base = json.loads(given)[0]
    said = f"base: precision {base['precision'][1]} %, threshold {base['threshold'][1]}"
    assert browser.one("#values").text.splitlines()[0] == said
    assert slider.get_attribute("aria-valuetext").startswith(f"recall 2 %; {said}; ")
    assert browser.one("line.probe").get_attribute("x1") == "2%"
    ActionChains(browser.driver).move_to_element(browser.one("svg.pr")).perform()
    assert browser.one("#recall-said").text in {"49 %", "50 %", "51 %"}


# ------------------------------------------------------------------------------ copying


def copy_button(browser, number: int):
    return browser.all("#signature button")[number]


def wait_for_status(browser, number: int) -> str:
    from selenium.webdriver.support.ui import WebDriverWait

    status = browser.all("#signature [role=status]")[number]
    return WebDriverWait(browser.driver, 5).until(lambda _: status.text)


def test_the_buttons_copy_what_stands_above_them(browser, pages):
    browser.driver.get(pages["one"])
    for number, identity in enumerate(("signature-0", "latex")):
        copy_button(browser, number).click()
        assert wait_for_status(browser, number) == "Copied."
        wanted = browser.run("return document.getElementById(arguments[0]).textContent", identity)
        assert browser.pasted() == wanted
    assert wanted.startswith("\\begin{tabular}")


def test_where_copying_is_refused_the_text_stays_selected_and_that_is_said(browser, pages):
    browser.driver.get(pages["one"])
    browser.run(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false"
    )
    copy_button(browser, 0).click()
    assert wait_for_status(browser, 0) == "Selected: copy it with Ctrl+C."
    assert browser.run("return String(getSelection())") == "ap:ava|<b>|x:1"


# ------------------------------------------------------------------------------ without a mouse


def test_the_first_key_shows_a_link_past_the_head(browser, pages):
    from selenium.webdriver import Keys

    browser.driver.get(pages["one"])
    top = "return document.querySelector('.skip').getBoundingClientRect().bottom"
    assert browser.run(top) < 0
    browser.press(Keys.TAB)
    assert browser.run(top) > 0
    browser.press(Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "results"


def test_every_stop_of_the_tab_key_is_seen_and_they_follow_the_page(browser, pages):
    from selenium.webdriver import Keys

    browser.driver.get(pages["one"])
    stops, tops = [], []
    for _ in range(60):
        browser.press(Keys.TAB)
        name, style, width, top = browser.run(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.tagName + (e.id || e.className), s.outlineStyle, parseFloat(s.outlineWidth),"
            " e.getBoundingClientRect().top + scrollY]"
        )
        if name.startswith("BODY"):
            break
        stops.append(name)
        tops.append(top)
        assert style != "none", name
        assert width >= 1, name
    assert tops[1:] == sorted(tops[1:])  # the first is the link past the head
    assert stops.count("BUTTON") == 6 + 2  # six columns, two texts to copy
    assert "INPUTrecall" in stops


# ------------------------------------------------------------------------------ screens


@pytest.mark.parametrize("name", ["one", "three"])
def test_tables_scroll_in_their_own_box_and_the_page_never_sideways(browser, pages, name):
    browser.driver.get(pages[name])
    for width in (320, 360, 800, 1200):
        browser.screen(width)
        assert browser.run("return document.scrollingElement.scrollWidth") <= width
    browser.screen(360)
    size, smallest, right = browser.run(
        "const all = (css, value) => Array.from(document.querySelectorAll(css), value);"
        "return [document.querySelector('#breakdown .scroll').clientWidth,"
        " Math.min(...all('text, td, th, p', (e) => parseFloat(getComputedStyle(e).fontSize))),"
        " Math.max(...all('svg.pr text', (e) => e.getBoundingClientRect().right))]"
    )
    assert 300 < size <= 360
    assert smallest >= 12  # also in figures, whose text is not scaled with them
    assert right <= 360


CONTRASTS = """
const channel = (value) => {
  const v = value / 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) =>
  0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const contrast = (one, other) => {
  const pair = [luminance(parse(one)), luminance(parse(other))].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
};
const texts = [], backs = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("script")) continue;
  if (!element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  let behind = element, back;
  do { back = getComputedStyle(behind).backgroundColor; behind = behind.parentElement; }
  while (behind && parse(back).length > 3 && parse(back)[3] === 0);
  const own = element.closest("svg") ? style.fill : style.color;
  texts.push([contrast(own, back), walker.currentNode.data]);
  backs.push(luminance(parse(back)));
}
const paper = getComputedStyle(document.body).backgroundColor;
const drawn = {".envelope": "stroke", ".score": "stroke", ".speaking": "fill", ".silent": "stroke",
  ".up rect": "fill", ".down rect": "stroke", "line.prior": "stroke"};
const lines = Object.entries(drawn).flatMap(([css, property]) =>
  Array.from(document.querySelectorAll(css), (e) =>
    [contrast(getComputedStyle(e)[property], paper), css]));
return [texts, backs, lines];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_stand_out_in_the_light_and_in_the_dark(browser, pages, scheme):
    """WCAG 2.2: a contrast of 4.5 for text (1.4.3), and of 3 for lines and bars (1.4.11)."""
    browser.media(scheme=scheme)
    browser.driver.get(pages["three"])
    texts, backs, lines = browser.run(CONTRASTS)
    assert len(texts) > 100
    assert min(texts)[0] >= 4.5, min(texts)
    assert (max(backs) < 0.05) if scheme == "dark" else (min(backs) > 0.85)
    assert len({css for _, css in lines}) == 7
    assert min(lines)[0] >= 3, min(lines)


# ------------------------------------------------------------------------------ paper


def test_on_paper_it_is_light_whole_and_without_what_can_be_pressed(browser, pages):
    browser.driver.get(pages["many"])
    browser.media("print", scheme="dark")
    for css in (".copyable button", "nav", "#recall", "line.probe"):
        assert browser.all(css)
        assert not any(element.is_displayed() for element in browser.all(css)), css
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    # All rows are there, the names of the columns too.
    overflow, tall = browser.run(
        "const b = document.querySelector('#by-video .scroll');"
        "return [getComputedStyle(b).overflowY, b.clientHeight]"
    )
    assert overflow == "visible"
    assert tall > 5000
    assert browser.one("#videos thead").is_displayed()


def test_it_prints_on_a_few_pages(browser, pages):
    for name, landscape in (("one", False), ("three", True)):
        browser.driver.get(pages[name])
        printed = browser.cdp("Page.printToPDF", {"preferCSSPageSize": True})["data"]
        sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", base64.b64decode(printed))
        assert 2 <= len(sizes) <= 10
        assert all((float(w) > float(h)) == landscape for w, h in sizes)


# ------------------------------------------------------------------------------ no script


def test_without_script_everything_is_there_to_be_read(browser, pages):
    browser.cdp("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.driver.get(pages["one"])
    assert browser.texts("#videos tbody th") == ["d", "e", "b", "a", "c"]
    assert browser.texts("#groups-0 tbody th") == ["language", "noise", "TOTAL"]
    assert browser.one("#signature-0").text == "ap:ava|<b>|x:1"
    assert browser.one("#latex").text.startswith("\\begin{tabular}")
    assert browser.one(".envelope").is_displayed()
    # Nothing that would do nothing.
    assert not [b for b in browser.all("button, input") if b.is_displayed()]
