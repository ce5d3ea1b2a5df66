"""Pages in headless Chromium: charts stand where their axes say, on a phone and in dark mode too, and can be used."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lowlat.reports.compare.compare import compare_reports, samples_of
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.history import Entry, Figure, History, Trend
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Spread
from lowlat.reports.model.series import summarize
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.page.html import to_html
from tests.ablations import an_ablation
from tests.browser import CHROMIUM, Page, chromium
from tests.cores_by_hand import matrix
from tests.jitter_by_hand import every, watched
from tests.leagues import judged, league_with, wrong
from tests.scaled_reports import scaled
from tests.unit.reports.page.audit import AUDIT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt install chromium")

DESK, PHONE = (1280, 800), (390, 844)
SCREENS = [(*DESK, False), (*DESK, True), (*PHONE, True), (*PHONE, False)]
KINDS = ["report", "sweep", "comparison", "history", "jitter", "league", "ablation"]
CHARTS = {"report": 2, "sweep": 2, "comparison": 1, "history": 1, "jitter": 3, "league": 1, "ablation": 1}
COLORS = {False: ("rgb(213, 94, 0)", "rgb(255, 255, 255)"), True: ("rgb(255, 140, 66)", "rgb(20, 23, 27)")}
"""Of the second of the page's line colors, and of the paper, by whether dark is asked for."""
OUTSIDE = """[...document.querySelectorAll('.plot > svg')].flatMap(area => {
  const frame = area.getBoundingClientRect();
  const figure = area.closest('figure').getBoundingClientRect();
  const wide = (element, box, room) => {
    const at = element.getBoundingClientRect();
    return at.left < box.left - room || at.right > box.right + room || at.top < box.top - room
      || at.bottom > box.bottom + room;
  };
  const shown = element => getComputedStyle(element).display !== 'none';
  return [
    ...[...area.querySelectorAll('polyline, .whisker, .guide, use, .grid line')].filter(each => wide(each, frame, 8)),
    ...[...area.querySelectorAll('text')].filter(shown).filter(each => wide(each, figure, 0)),
  ].map(each => each.outerHTML);
})"""
"""Lines and marks that leave the drawing area by more than a mark's size, and words that leave the figure."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


def _compared(report: Report) -> Comparison:
    """Eight runs per side, the head's 1.3 times as long; the largest maximum is off the chart."""
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(8))
    base = dataclasses.replace(report, runs=runs, summary=summarize(runs))
    sides = samples_of([base], "base", ["base"]), samples_of([scaled(base, Fraction(13, 10))], "head", ["head"])
    found = compare_reports(*sides, [parse_rule("p50=10%"), parse_rule("p99=10%")], ["lowlat", "compare"])
    metrics = (
        dataclasses.replace(each, ratio=37.0, interval=(30.0, 90.0)) if str(each) == "max service all" else each
        for each in found.metrics
    )
    return dataclasses.replace(found, metrics=tuple(metrics))


def _trend(days: int) -> History:
    entries = tuple(
        Entry(
            file=f"{day}.json",
            started=f"2026-11-{day:02}T10:00:00.000000Z",
            status="ok",
            git="abc1234",
            version="0.1.0",
            host="AMD EPYC 7763",
            runs=3,
            figures={
                percent: Figure(value_ns=at, to_first=1.0, to_median=1.0, spread=Spread(min=at - 9, max=at + 9))
                for percent, at in (("50", 40 + day), ("99", 400 + day))
            },
        )
        for day in range(1, days + 1)
    )
    what = {"profile": "steady", "seed": 1, "commands": 20_000, "hash": "5f3c", "engine": "native", "target_rate": None}
    return History(trends=(Trend(**what, op="all", measure="service", entries=entries),), skipped=())


def _jitter() -> Jitter:
    """Two CPUs, the first with two causes."""
    return watched([*every(4_000_000, 9_000, 0), *every(9_000_000, 400, -1)], every(70_000_000, 8_000_000, 1))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, report: Report, swept: Sweep) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    base = judged(report)
    engines = {"first": base, "slow": scaled(base, Fraction(300)), "wrong": wrong(base), "libmine.so": None}
    documents = {"report": report, "sweep": swept, "comparison": _compared(report), "history": _trend(9)}
    documents |= {"jitter": _jitter(), "cores": matrix(*range(16))}
    documents |= {"league": league_with({"steady": engines, "deep": engines})}
    documents |= {"ablation": an_ablation()}
    found = {kind: folder / f"{kind}.html" for kind in documents}
    for kind, file in found.items():
        file.write_text(to_html(documents[kind]), encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_charts_are_drawn_in_silence_at_any_width_in_light_and_dark(
    browser: Page, files: dict[str, Path], kind: str
) -> None:
    browser.messages.clear()
    browser.requests.clear()
    browser.screen(*DESK, dark=False)
    browser.open(files[kind])
    for width, height, dark in SCREENS:
        browser.screen(width, height, dark=dark)
        browser.wait_for(
            f"innerWidth === {width} && matchMedia('(prefers-color-scheme: dark)').matches === {_js(dark)}"
        )
        assert browser.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")
        assert browser.evaluate(OUTSIDE) == []
        line, paper = COLORS[dark]
        assert browser.evaluate("getComputedStyle(document.querySelector('.plot .line-1')).color") == line
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    assert browser.messages == []
    assert browser.requests == [files[kind].as_uri()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [DESK[0], PHONE[0]])
def test_a_picture_of_the_whole_page_has_every_chart_at_full_width(
    browser: Page, files: dict[str, Path], kind: str, width: int
) -> None:
    """Taken at load, of charts that no window has shown: a script may not have seen their width."""
    browser.screen(width, 400, dark=False)
    browser.open(files[kind])
    picture = browser.whole_picture()
    wide, high = struct.unpack(">II", picture[16:24])
    assert width - 20 < wide <= width, "the scroll bar aside"
    assert high > 900
    widths = browser.evaluate("[...document.querySelectorAll('.plot > svg')].map(each => each.clientWidth)")
    assert len(widths) == CHARTS[kind] and min(widths) > 0.55 * width
    assert browser.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("part", ["use", "text.y", ".grid line"])
def test_a_part_that_is_out_of_place_is_found(browser: Page, files: dict[str, Path], part: str) -> None:
    browser.screen(*DESK, dark=False)
    browser.open(files["report"])
    browser.evaluate(f"document.querySelector('.plot {part}').style.transform = 'translateX(-100px)'")
    assert len(browser.evaluate(OUTSIDE)) == 1


def _js(value: bool) -> str:
    return str(value).lower()


def _center(selector: str, axis: str) -> str:
    side, size = ("left", "width") if axis == "x" else ("top", "height")
    box = f"document.querySelector({selector!r}).getBoundingClientRect()"
    return f"{box}.{side} + {box}.{size} / 2"


@pytest.mark.parametrize("width", [DESK[0], PHONE[0]])
def test_a_ratio_of_1_is_above_its_tick_and_what_is_clipped_has_an_arrow(
    browser: Page, files: dict[str, Path], width: int
) -> None:
    browser.screen(width, 800, dark=False)
    browser.open(files["comparison"])
    at = "[...document.querySelectorAll('.plot text.x')].find(each => each.textContent === '1').getBoundingClientRect()"
    assert browser.evaluate(_center(".guide.dim", "x")) == pytest.approx(
        browser.evaluate(f"{at}.left + {at}.width / 2"), abs=1
    )
    right = browser.evaluate("document.querySelector('.plot > svg').getBoundingClientRect().right")
    arrow = ".plot use[href='#mark-beyond-right']"
    assert browser.evaluate(_center(arrow, "x")) == pytest.approx(right, abs=5)
    assert browser.evaluate(f"document.querySelector({arrow!r}).getBoundingClientRect().width") >= 8
    ticks = "[...document.querySelectorAll('.plot text.x')].map(each => +each.textContent)"
    assert max(browser.evaluate(ticks)) < 2, "a maximum of 37 times does not stretch the axis"


@pytest.mark.parametrize("width", [DESK[0], PHONE[0]])
def test_a_heat_map_has_a_color_for_each_time_and_scrolls_by_itself(
    browser: Page, files: dict[str, Path], width: int
) -> None:
    browser.screen(width, 800, dark=True)
    browser.open(files["cores"])
    color = "getComputedStyle(document.querySelector('.heat-{}')).backgroundColor"
    assert browser.evaluate(color.format(0)) == "rgb(255, 255, 229)"
    assert browser.evaluate(color.format(7)) == "rgb(236, 112, 20)"
    assert browser.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")
    box = "document.querySelector('.wide')"
    assert browser.evaluate(f"{box}.scrollWidth > {box}.clientWidth") == (width == PHONE[0])


def test_the_verdict_is_on_the_screen_of_a_phone(browser: Page, files: dict[str, Path]) -> None:
    browser.screen(*PHONE, dark=False)
    browser.open(files["comparison"])
    cells = browser.evaluate("[...document.querySelectorAll('section table')][0].querySelectorAll('td.verdict').length")
    ends = browser.evaluate(
        "[...document.querySelectorAll('section table')[0].querySelectorAll('.verdict')].map(cell => {"
        " const text = document.createRange(); text.selectNodeContents(cell);"
        " const box = text.getBoundingClientRect(); return [box.left, box.right]; })"
    )
    assert cells > 10 and len(ends) == cells + 1
    assert all(0 < left < right < PHONE[0] for left, right in ends)


def test_a_percentile_read_back_is_the_reports(browser: Page, files: dict[str, Path], report: Report) -> None:
    browser.open(files["report"])
    table = "[...document.querySelectorAll('tr.all td:nth-child(6) data')].map(cell => +cell.value)"
    assert browser.evaluate(table)[0] == report.summary[0].percentiles["99"].value


def _maximum(name: str) -> str:
    """The window's place of the last mark of a series."""
    box = f"document.querySelector('#by-operation .{name} use:last-of-type').getBoundingClientRect()"
    return f"[{box}.left + {box}.width / 2, {box}.top + {box}.height / 2]"


def test_the_mouse_shows_the_nearest_point(browser: Page, files: dict[str, Path]) -> None:
    browser.screen(*DESK, dark=False)
    browser.open(files["report"])
    browser.evaluate("document.getElementById('by-operation').scrollIntoView()")
    for name in ("series-1", "series-3"):
        x, y = browser.evaluate(_maximum(name))
        browser.point(x + 1, y - 1)
        browser.wait_for("!document.querySelector('#by-operation .tip').hidden")
        left, top, what, value = browser.evaluate(
            f"JSON.parse(document.getElementById('tooltips').textContent)['by-operation'][{name[-1]}]"
            ".find(point => point[2] === 'max')"
        )
        label = browser.evaluate(f"document.querySelector('#by-operation .key-{name[-1]}').parentNode.textContent")
        assert (
            browser.evaluate("document.querySelector('#by-operation .tip').textContent") == f"{label} {what}\n{value}"
        )
        assert 0 < left < 100 and 0 < top < 100
        ring = browser.evaluate(f"[{_center('#by-operation .ring', 'x')}, {_center('#by-operation .ring', 'y')}]")
        assert ring == [pytest.approx(x, abs=1), pytest.approx(y, abs=1)]
    browser.point(5, 5)
    browser.wait_for("document.querySelector('#by-operation .tip').hidden")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_series_can_be_switched_off(browser: Page, files: dict[str, Path], scripts: bool) -> None:
    browser.screen(*DESK, dark=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=not scripts)
    try:
        browser.open(files["report"])
        shown = (
            "[0, 1].map(index => getComputedStyle(document.querySelector(`#by-operation .series-${index}`)).display)"
        )
        assert browser.evaluate(shown) == ["inline", "inline"]
        browser.evaluate("document.querySelector('#by-operation .key-1').click()")
        assert browser.evaluate(shown) == ["inline", "none"]
        browser.evaluate("document.querySelector('#by-operation .key-1').click()")
        assert browser.evaluate(shown) == ["inline", "inline"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_tooltip_leaves_out_what_is_switched_off(browser: Page, files: dict[str, Path]) -> None:
    browser.screen(*DESK, dark=False)
    browser.open(files["report"])
    browser.evaluate("document.getElementById('by-operation').scrollIntoView()")
    x, y = browser.evaluate(_maximum("series-1"))
    browser.evaluate("document.querySelector('#by-operation .key-1').click()")
    browser.point(x, y)
    browser.wait_for("!document.querySelector('#by-operation .tip').hidden")
    off = browser.evaluate("document.querySelector('#by-operation .key-1').parentNode.textContent")
    assert not browser.evaluate("document.querySelector('#by-operation .tip').textContent").startswith(off)


def test_a_script_that_the_page_does_not_name_is_stopped(browser: Page, files: dict[str, Path], tmp_path: Path) -> None:
    """Markup that escaped the escaping would neither run, load nor hide anything, and `messages` reports it."""
    planted = tmp_path / "planted.html"
    text = files["report"].read_text(encoding="utf-8")
    hostile = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/'><p id=hidden style='display:none'>"
    planted.write_text(text.replace("</main>", f"{hostile}</main>"), encoding="utf-8")
    browser.messages.clear()
    browser.requests.clear()
    browser.open(planted)
    assert browser.evaluate("document.title") == "steady · lowlat"
    assert browser.evaluate("getComputedStyle(document.getElementById('hidden')).display") == "block"
    browser.wait_for("document.images[0].complete")
    assert len([message for message in browser.messages if "Content Security Policy" in message]) == 3


def test_without_scripts_tables_and_charts_are_there(browser: Page, files: dict[str, Path]) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files["report"])
        assert browser.evaluate("document.querySelectorAll('table').length") == 5
        assert browser.evaluate("document.querySelectorAll('.plot polyline').length") >= 8
        assert browser.evaluate(OUTSIDE) == []
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_what_is_printed_is_dark_on_white_even_in_dark_mode(browser: Page, files: dict[str, Path]) -> None:
    browser.open(files["report"])
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser.call("Emulation.setEmulatedMedia", media="print", features=[dark])
    try:
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == COLORS[False][1]
        assert browser.evaluate("getComputedStyle(document.querySelector('.legend input')).display") == "none"
    finally:
        browser.call("Emulation.setEmulatedMedia", media="", features=[])


@pytest.mark.parametrize("kind", [*KINDS, "cores"])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_accessible(
    browser: Page, files: dict[str, Path], kind: str, screen: tuple[int, int, bool]
) -> None:
    """The rules of axe-core that charts and tables can break."""
    width, height, dark = screen
    browser.screen(width, height, dark=dark)
    browser.open(files[kind])
    assert browser.evaluate(AUDIT) == []


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("<div role='img' aria-label='a chart'><button>b</button></div>", "nested-interactive"),
        ("<svg role='img'></svg>", "svg-img-alt"),
        ("<input type='checkbox'>", "label"),
        ("<div class='wide'><div class='long'>x</div></div>", "scrollable-region-focusable"),
        ("<p class='faint'>word</p>", "color-contrast"),
        ("<p id='latency-test'></p><p id='latency-test'></p>", "duplicate-id"),
    ],
)
def test_a_planted_barrier_is_found(
    browser: Page, files: dict[str, Path], tmp_path: Path, planted: str, rule: str
) -> None:
    page = tmp_path / "planted.html"
    text = files["history"].read_text(encoding="utf-8").replace("</main>", f"{planted}</main>")
    page.write_text(text, encoding="utf-8")
    browser.screen(*DESK, dark=False)
    browser.open(page)
    browser.evaluate(
        "document.querySelector('.faint')?.style.setProperty('color', '#aaaaaa'),"
        " document.querySelector('.long')?.style.setProperty('width', '3000px')"
    )
    found: list[Any] = browser.evaluate(AUDIT)
    assert found and {each[0] for each in found} == {rule}
