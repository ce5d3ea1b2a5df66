"""The page in headless Chromium: charts are drawn, nothing is logged or loaded, on a phone and in dark mode too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lowlat.reports.histogram.percentile_curve import nines
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.page.html import to_html
from tests.browser import CHROMIUM, Page, chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt install chromium")

DESK, PHONE = (1200, 800), (390, 844)
DRAWN = "[...document.querySelectorAll('.plot')].map(plot => plot.querySelectorAll('.main-svg .js-line').length)"
COLORS = {
    ("report", False): ("rgb(27, 31, 36)", "rgb(255, 255, 255)"),  # the first line is of all operations
    ("report", True): ("rgb(229, 233, 238)", "rgb(20, 23, 27)"),
    ("sweep", False): ("rgb(0, 114, 178)", "rgb(255, 255, 255)"),
    ("sweep", True): ("rgb(86, 180, 233)", "rgb(20, 23, 27)"),
}
"""Of the first line of the first chart, and of the paper, by kind of document and whether dark is asked for."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, report: Report, swept: Sweep) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {"report": folder / "report.html", "sweep": folder / "sweep.html"}
    found["report"].write_text(to_html(report), encoding="utf-8")
    found["sweep"].write_text(to_html(swept), encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", ["report", "sweep"])
def test_charts_are_drawn_in_silence_at_any_width_in_light_and_dark(
    browser: Page, files: dict[str, Path], kind: str
) -> None:
    browser.messages.clear()
    browser.requests.clear()
    browser.screen(*DESK, dark=False)
    browser.open(files[kind])
    for width, height, dark in ((*DESK, False), (*DESK, True), (*PHONE, True), (*PHONE, False)):
        browser.screen(width, height, dark=dark)
        browser.wait_for(f"{DRAWN}.length === 2 && {DRAWN}.every(lines => lines > 0)")
        browser.wait_for("document.documentElement.scrollWidth === document.documentElement.clientWidth")
        assert browser.evaluate("innerWidth") == width
        stroke, paper = COLORS[kind, dark]
        browser.wait_for(f"getComputedStyle(document.querySelector('.js-line')).stroke === '{stroke}'")
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    assert browser.messages == []
    assert browser.requests == [files[kind].as_uri()]


def test_a_percentile_read_back_is_the_reports(browser: Page, files: dict[str, Path], report: Report) -> None:
    browser.open(files["report"])
    table = "[...document.querySelectorAll('tr.all td:nth-child(6) data')].map(cell => +cell.value)"
    p99 = report.summary[0].percentiles["99"].value
    assert browser.evaluate(table)[0] == p99
    drawn = browser.evaluate(
        "(() => { const trace = document.getElementById('by-operation')._fullData[0];"
        " const at = trace.text.indexOf('p99'); return [trace.x[at], trace.y[at]]; })()"
    )
    assert drawn == [pytest.approx(nines("99"), abs=1e-4), p99]


def test_a_script_that_the_page_does_not_name_is_stopped(browser: Page, files: dict[str, Path], tmp_path: Path) -> None:
    """Markup that escaped the escaping would neither run nor load anything, and `messages` reports it."""
    planted = tmp_path / "planted.html"
    text = files["report"].read_text(encoding="utf-8")
    planted.write_text(
        text.replace("</main>", "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/'></main>"),
        encoding="utf-8",
    )
    browser.messages.clear()
    browser.requests.clear()
    browser.open(planted)
    assert browser.evaluate("document.title") == "steady · lowlat"
    browser.wait_for("document.images[0].complete")
    assert len([message for message in browser.messages if "Content Security Policy" in message]) == 2


def test_without_scripts_the_tables_are_there(browser: Page, files: dict[str, Path]) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files["report"])
        note = "getComputedStyle(document.querySelector('noscript')).display"
        assert browser.evaluate("document.querySelectorAll('table').length") == 5
        assert browser.evaluate("document.querySelector('.plot').offsetHeight") == 0
        assert browser.evaluate(note) != "none"
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
