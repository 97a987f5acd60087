"""The report as people see it: Debian's Chromium, headless, wide and as narrow as a phone. Screenshots are kept."""

import os
import pathlib
import shutil

import pytest
from conftest import DECODER, ENCODER
from winnow.report import write

sync_api = pytest.importorskip("playwright.sync_api", reason="scripts/setup --report brings playwright")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("scripts/setup --report brings Chromium", allow_module_level=True)

SHOTS = pathlib.Path(os.environ.get("WINNOW_SHOTS", "results/report-screenshots"))
WAIT = 300_000  # ms, for a machine that does much else


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    from test_report import keep

    at = tmp_path_factory.mktemp("runs")
    folders = [
        keep(at / "decoder-spatten", DECODER, "spatten", "--steps", "1-1"),
        keep(at / "encoder-spatten", ENCODER, "spatten", "--layers", "3-5"),
    ]
    made = write(folders, at / "report.html")
    return made


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=WAIT
        )
        yield chromium
        chromium.close()


class Opened:
    """A page, with everything that the console said and every address that was asked for."""

    def __init__(self, browser, path, width):
        self.page = browser.new_page(viewport={"width": width, "height": 800})
        self.page.set_default_timeout(WAIT)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.resolve().as_uri(), wait_until="commit", timeout=WAIT)
        self.page.wait_for_selector("html[data-ready=yes]", state="attached")
        self.page.wait_for_function(
            "[...document.querySelectorAll('.canvas')].every(c => c.querySelector('.main-svg'))"
        )

    def __call__(self, script):
        return self.page.evaluate(script)


@pytest.mark.parametrize("width", [1100, 400])
def test_as_people_see_it(report, browser, width, compared):
    opened = Opened(browser, report.path, width)
    page = opened.page

    # Every plot is drawn: it has marks with a size, inside its place.
    drawn = opened(
        """[...document.querySelectorAll('.canvas')].map(c => {
             const marks = [...c.querySelectorAll('.point path, .hm image, .scatterlayer path')];
             const sizes = marks.map(m => m.getBoundingClientRect());
             return [c.id, sizes.filter(r => r.width + r.height > 2).length, c.scrollWidth <= c.clientWidth + 1];
           })"""
    )
    assert len(drawn) == report.plots
    for name, marks, fits in drawn:
        assert marks > 0, f"{name}: nothing drawn"
        assert fits, f"{name}: wider than its place"
        compared(1)

    # Nothing hangs over the window's edge; what is wider scrolls in a box of its own.
    assert opened("document.documentElement.scrollWidth <= window.innerWidth")

    # By keyboard alone: the link that skips, the slider, boxes that scroll, parts that open.
    page.keyboard.press("Tab")
    assert opened("document.activeElement.className") == "skip"
    page.focus("#layer-0")
    before = page.inner_text("#said-0")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("#said-0")
    page.keyboard.press("End")
    last = page.inner_text("#said-0")
    assert before.startswith("all layers") and first.startswith("layer 0:") and last.startswith("layer 29:")
    living = [int(text.split(": ")[1].split(" of")[0]) for text in (first, last)]
    assert living[1] < living[0]  # the cascade has pruned
    assert opened("document.querySelectorAll('.words[data-run=\"0\"] .dead').length") + living[1] == opened(
        "document.querySelectorAll('.words[data-run=\"0\"] [data-token]').length"
    )
    page.keyboard.press("Home")
    page.focus("#kind-0")
    page.keyboard.press("ArrowDown")
    assert page.input_value("#kind-0") == "live" and "129 of 129 tokens live" in page.inner_text("#said-0")
    page.focus("#layer-0")
    page.keyboard.press("End")
    page.focus("#every summary")
    page.keyboard.press("Enter")
    assert opened("document.querySelector('#every details').open")
    page.focus("#every .scroll")
    assert opened("document.activeElement.getAttribute('role')") == "region"
    page.keyboard.press("Escape")
    compared(8)

    # A word tells its layers when tapped.
    page.click('.words[data-run="0"] [data-token="5"]')
    assert "Token 5" in page.inner_text('.words[data-run="0"] .told')

    assert opened.said == []
    assert opened.asked == [report.path.resolve().as_uri()]
    opened("document.querySelector('#every details').open = false")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{width}.png", full_page=True, timeout=WAIT)
    page.close()
