"""The profiler counts every call, failed ones included, and never loses one between threads."""

from __future__ import annotations

import asyncio
import inspect
import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from lowlat.errors import UsageError
from lowlat.reports.profiler.profiler import Profiler


def test_a_decorated_function_is_itself_and_recorded() -> None:
    profiler = Profiler()

    @profiler.profile
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    assert (add(1), add(2, b=3), add.__doc__) == (2, 5, "Add.")
    (row,) = profiler.summary()
    assert row.name.endswith("test_a_decorated_function_is_itself_and_recorded.<locals>.add")
    assert row.calls == 2
    assert 0 < row.p50_ns <= row.p95_ns <= row.p99_ns <= row.p99_9_ns <= row.max_ns
    assert row.p99_is_few
    assert sum(band.count for band in row.bands) == 2
    assert row.calls_per_s > 0


def test_what_raises_is_recorded_and_raised() -> None:
    profiler = Profiler()

    @profiler.profile
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(KeyError), profiler.span("block"):
        raise KeyError("x")
    assert [row.calls for row in profiler.summary()] == [1, 1]


def test_time_slept_is_time_measured() -> None:
    profiler = Profiler()
    with profiler.span("sleep"):
        time.sleep(0.01)
    recorded = profiler.histogram("sleep")
    assert 10_000_000 <= recorded.min_ns < 1_000_000_000


def test_a_coroutine_is_recorded_to_its_end() -> None:
    profiler = Profiler()

    @profiler.profile
    async def wait(fails: bool) -> int:
        await asyncio.sleep(0.01)
        if fails:
            raise KeyError("x")
        return 7

    assert inspect.iscoroutinefunction(wait)
    assert asyncio.run(wait(False)) == 7
    with pytest.raises(KeyError):
        asyncio.run(wait(True))
    (row,) = profiler.summary()
    assert row.calls == 2
    assert row.max_ns >= 10_000_000


def test_spans_of_one_name_nest() -> None:
    profiler = Profiler()
    with profiler.span("outer"), profiler.span("outer"):
        pass
    assert profiler.histogram("outer").total == 2


def test_threads_share_a_name_without_losing_a_call() -> None:
    profiler = Profiler()

    def work(_: int) -> None:
        for _ in range(500):
            with profiler.span("shared"):
                pass
            profiler.summary()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert profiler.histogram("shared").total == 2_000


def test_reset_forgets_calls_but_goes_on() -> None:
    profiler = Profiler()

    @profiler.profile
    def nothing() -> None: ...

    nothing()
    profiler.reset()
    assert profiler.summary() == []
    nothing()
    assert [row.calls for row in profiler.summary()] == [1]


def test_an_unknown_name_says_which_are_known() -> None:
    profiler = Profiler()
    with profiler.span("encode"):
        pass
    with pytest.raises(UsageError, match="encode"):
        profiler.histogram("decode")


@pytest.mark.parametrize("in_notebook", [False, True])
def test_print_and_notebooks_show_the_table_whole(in_notebook: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object's address helps nobody, and a name of 200 characters is not cut.

    A console that finds a notebook displays what is printed on it: the table would stand there twice.
    """
    displayed: list[object] = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: in_notebook)
    monkeypatch.setattr("rich.jupyter.display", lambda *what: displayed.append(what))
    profiler = Profiler()
    name = f"<b>{'n' * 200}</b>"
    with profiler.span(name):
        pass
    table = profiler.table()
    heading, row = str(table).splitlines()
    assert heading.split() == ["name", "calls", "calls/s", "mean", "p50", "p95", "p99", "p99.9", "max"]
    assert row.split()[:2] == [name, "1"] and row == row.rstrip()
    bundle = table._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == str(table)
    for shown in (profiler._repr_html_(), bundle["text/html"]):
        assert shown.startswith("<pre") and "p99.9" in shown and f"&lt;b&gt;{'n' * 200}&lt;/b&gt;" in shown
    assert str(Profiler().table()).split() == heading.split()
    assert displayed == []


def test_the_table_has_a_row_a_name() -> None:
    profiler = Profiler()
    with profiler.span("encode"):
        pass
    stream = io.StringIO()
    Console(file=stream, width=120).print(profiler.table())
    heading, row = stream.getvalue().splitlines()
    assert heading.split()[:3] == ["name", "calls", "calls/s"]
    assert row.split()[:2] == ["encode", "1"]
