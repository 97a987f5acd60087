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
        keep(
            at / "decoder-spatten",
            *(DECODER, "spatten", "--steps", "1-1", "--timeline", at / "decoder-spatten/timeline.json"),
        ),
        keep(at / "encoder-spatten", ENCODER, "spatten", "--layers", "3-5"),
    ]
    made = write(folders, at / "report.html")
    return made


@pytest.fixture(scope="module")
def sweep_report(tmp_path_factory):
    pytest.importorskip("optuna", reason="scripts/setup --python brings it")
    from test_sweep import written
    from winnow import sweep

    at = tmp_path_factory.mktemp("sweep")
    sweep.run(
        sweep.load(written(at / "s.yaml", search="{method: random, points: 60, batch: 60}")), at / "sweep", jobs=2
    )
    return write([at / "sweep"], at / "sweep.html")


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

    # The timeline: a button, by keyboard too, looks closer, and fewer jobs are drawn together.
    def sight():
        place = opened("({...document.querySelector('#plot-0-timeline').dataset})")
        return int(place["low"]), int(place["high"]), int(place["bars"])

    whole = sight()
    assert whole[2] > 100
    page.focus('button[data-for="plot-0-timeline"][data-move="in"]')
    for _ in range(3):
        page.keyboard.press("Enter")
    low, high, bars = sight()
    assert high - low == pytest.approx((whole[1] - whole[0]) / 8, abs=2) and bars > 10
    page.click('button[data-for="plot-0-timeline"][data-move="right"]')
    assert sight()[0] == pytest.approx(low + (high - low) / 2, abs=2)
    page.click('button[data-for="plot-0-timeline"][data-move="all"]')
    assert sight() == whole
    compared(5)

    # A word tells its layers when tapped.
    page.click('.words[data-run="0"] [data-token="5"]')
    assert "Token 5" in page.inner_text('.words[data-run="0"] .told')

    assert opened.said == []
    assert opened.asked == [report.path.resolve().as_uri()]
    opened("document.querySelector('#every details').open = false")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{width}.png", full_page=True, timeout=WAIT)
    page.close()


@pytest.mark.parametrize("width", [1100, 400])
def test_a_sweep_as_people_see_it(sweep_report, browser, width, compared):
    opened = Opened(browser, sweep_report.path, width)
    page = opened.page
    drawn = opened(
        """[...document.querySelectorAll('.canvas')].map(c => {
             const sizes = [...c.querySelectorAll('.point, .hm image')].map(m => m.getBoundingClientRect());
             return [c.id, sizes.filter(r => r.width + r.height > 2).length, c.scrollWidth <= c.clientWidth + 1];
           })"""
    )
    assert len(drawn) == sweep_report.plots
    for name, marks, fits in drawn:
        assert marks > 0, f"{name}: nothing drawn"
        assert fits, f"{name}: wider than its place"
        compared(1)
    assert opened("document.documentElement.scrollWidth <= window.innerWidth")

    # The front's first point is chosen at the start; a button of the table, by keyboard, chooses another.
    numbers = opened("[...document.querySelectorAll('button[data-point]')].map(b => b.dataset.point)")
    assert page.inner_text("#told").startswith(f"Point {numbers[0]}:")
    page.focus(f'button[data-point="{numbers[-1]}"]')
    page.keyboard.press("Enter")
    assert page.inner_text("#told").startswith(f"Point {numbers[-1]}:")
    assert page.inner_text("#command").startswith("winnow run ")
    compared(3)

    # A point of the plot, tapped, tells itself and its command; on other axes those that they have measured remain.
    def points():
        return opened("document.querySelectorAll('#plot-front .scatterlayer .point').length")

    assert points() == 60 + 1  # and the ring around the chosen one
    # Where others lie over it the one on top is told, so: whichever it is, told and command are of one point.
    page.locator("#plot-front .nsewdrag").scroll_into_view_if_needed()
    box = page.locator("#plot-front .scatterlayer .trace").first.locator(".point").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#plot-front .hoverlayer .hovertext")
    assert page.text_content("#plot-front .hoverlayer .hovertext").startswith("point ")
    before = page.inner_text("#command")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("before => document.querySelector('#command').textContent !== before", arg=before)
    column = opened(
        "[...document.querySelectorAll('#axis-x option')].findIndex(o => o.textContent.endsWith('machine'))"
    )
    page.select_option("#axis-x", str(column))
    assert points() in (4, 5)  # those that went on, and the ring if it is around one of them
    page.select_option("#axis-slices", str(column))
    compared(4)

    page.focus("summary")
    page.keyboard.press("Enter")
    assert "random" in page.inner_text("details pre")
    assert opened.said == []
    assert opened.asked == [sweep_report.path.resolve().as_uri()]
    page.select_option("#axis-x", "0")
    page.select_option("#axis-slices", "1")
    opened("document.querySelector('details').open = false")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"sweep-{width}.png", full_page=True, timeout=WAIT)
    page.close()
