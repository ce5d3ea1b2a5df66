"""Public functions and classes take paths as text, too; objects that own native memory or files refuse to be copied."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.engine import Engine, JournaledEngine, ReferenceEngine, Side, load_profile
from lowlat.engine.flow.readers.journal import read_journal_flow
from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.rings import MpscRing, SpscRing
from lowlat.engine.shared_book import MappedBookReader, MappedBookWriter, mapped_books
from lowlat.errors import InputError, UsageError
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.reports.compare.history import history_of
from lowlat.reports.io.loader import read, read_reports
from lowlat.reports.profiler import Profiler

DAY = "34200.1,1,11,50,5850100,-1\n34200.2,1,12,70,5850100,-1\n34200.3,4,11,50,5850100,-1\n"
PACKAGES = ("engine", "engine.shared_book", "engine.rings", "reports.profiler")
OTHERS = (
    read,
    read_reports,
    history_of,
    check_journal,
    JournalFile,
    read_journal_flow,
    read_lobster,
    capture,
    open_root,
)
"""What is imported from deeper modules."""


def public() -> Iterator[tuple[str, Any]]:
    """Every public function, and every method that makes or uses something by its path."""
    for package in PACKAGES:
        module = importlib.import_module(f"lowlat.{package}")
        for name in module.__all__:
            yield from callables(name, getattr(module, name))
    for each in OTHERS:
        yield from callables(each.__name__, each)


def callables(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    if inspect.isclass(thing):
        for method in ("__init__", *(each for each in vars(thing) if not each.startswith("_"))):
            found = getattr(thing, method)
            if callable(found):
                yield f"{name}.{method}", found
    elif callable(thing):
        yield name, thing


def untextual(name: str, function: Callable[..., Any]) -> list[str]:
    """Its parameters that take a path, but no text."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    annotated = [(each.name, str(each.annotation)) for each in parameters]
    return [
        f"{name}({each})" for each, kind in annotated if "Path" in kind and "str" not in kind and "Callable" not in kind
    ]


def is_data(function: Any) -> bool:
    """Whether it makes a record of results, whose path is one of them."""
    return function.__qualname__.startswith(("Recovery.", "Compacted."))


def test_every_public_path_may_be_text() -> None:
    found = dict(public())
    assert {"JournaledEngine.create", "SpscRing.attach", "MappedBookWriter.__init__", "load_profile", "read"} <= set(
        found
    )
    taking = [name for name, function in found.items() if "Path" in str(inspect.signature(function))]
    assert len(taking) > 12
    assert [
        each for name, function in found.items() if not is_data(function) for each in untextual(name, function)
    ] == []


def test_a_parameter_that_takes_no_text_is_found() -> None:
    def write(path: Path, other: Path | None = None, text: str | Path = "") -> None: ...

    assert untextual("write", write) == ["write(path)", "write(other)"]


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_as_text_work(tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    def at(name: str) -> Any:
        return kind(tmp_path / name)

    with JournaledEngine.create(at("a.journal")) as engine:
        engine.submit(1, Side.BUY, quantity=5, price=100)
    with JournaledEngine.recover(at("a.journal")) as engine:
        assert engine.path == tmp_path / "a.journal"
    assert check_journal(at("a.journal")).problem is None
    with JournalFile(at("a.journal")) as file:
        assert file.path == tmp_path / "a.journal"
    assert read_journal_flow(at("a.journal")).name == "a.journal"
    with MappedBookWriter("ABC", folder=at("books")), MappedBookReader("ABC", folder=at("books")):
        assert [each.symbol for each in mapped_books(at("books"))] == ["ABC"]
    ring = SpscRing(64, path=at("ring"))
    assert SpscRing.attach(at("ring")).capacity == ring.capacity
    (tmp_path / "mine.toml").write_text(
        (Path(inspect.getfile(Engine)).parents[1] / "flow/profiles/steady.toml").read_text()
    )
    assert load_profile(at("mine.toml")).name == "mine"
    (tmp_path / "day.csv").write_text(DAY)
    assert read_lobster(at("day.csv")).path == tmp_path / "day.csv"
    with Profiler().log_to(at("log.hlog")):
        pass
    assert (tmp_path / "log.hlog").exists()
    assert history_of(at(".")).trends == ()
    for load in (read, lambda path: read_reports([path])):
        with pytest.raises(InputError, match=r"missing\.json: no such file"):
            load(at("missing.json"))
    assert capture(at("host.tar.xz")) > 0 and open_root(at("host.tar.xz"))


WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}


@pytest.mark.parametrize("way", WAYS)
def test_what_owns_native_memory_refuses_to_be_copied(tmp_path: Path, way: str) -> None:
    with ExitStack() as stack:
        journaled = stack.enter_context(JournaledEngine.create(tmp_path / "a.journal"))
        writer = stack.enter_context(MappedBookWriter("ABC", folder=tmp_path / "books"))
        reader = stack.enter_context(MappedBookReader("ABC", folder=tmp_path / "books"))
        file = stack.enter_context(JournalFile(tmp_path / "a.journal"))
        engine = Engine()
        for thing in (engine, journaled, writer, reader, file, Profiler()):
            name = type(thing).__name__
            with pytest.raises(UsageError, match=f"^this {name} cannot be copied or pickled: it holds native memory"):
                WAYS[way](thing)
        # Each still works.
        assert (
            len(engine.submit(1, Side.BUY, quantity=5, price=100))
            == len(journaled.submit(1, Side.BUY, quantity=5, price=100))
            == 1
        )


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copy_of_the_reference_engine_has_books_of_its_own(way: str) -> None:
    engine = ReferenceEngine()
    engine.submit(1, Side.BUY, quantity=5, price=100)
    twin = WAYS[way](engine)
    twin.submit(2, Side.SELL, quantity=5, price=100)
    assert (twin.best().bid, engine.best().bid_quantity) == (None, 5)
    with pytest.raises(UsageError, match=r"share its books; use copy\.deepcopy"):
        copy.copy(engine)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [MpscRing, SpscRing])
def test_a_copy_of_a_ring_is_another_end_of_the_same_memory(kind: Any, way: str) -> None:
    ring = kind(64)
    twin = WAYS[way](ring)
    assert twin.capacity == ring.capacity
    assert ring.push(np.zeros(3, ring.dtype)) == 3 and len(twin.pop(10)) == 3


def test_a_path_that_is_not_utf_8_opens(tmp_path: Path) -> None:
    """As the system gives it: native code, which names the file in errors, takes UTF-8 only."""
    folder = tmp_path / "caf\udce9"
    with MappedBookWriter("A", folder=folder) as writer, MappedBookReader("A", folder=folder) as reader:
        writer.update_level(Side.BUY, 100, 5)
        assert reader.best().bid == 100
        with pytest.raises(UsageError, match="unlink: 'no' is neither True nor False"):
            writer.close(unlink="no")  # type: ignore[arg-type]
        assert reader.has_writer  # nothing of it was closed
    with SpscRing(8, path=folder / "ring") as ring:
        ring.push(np.zeros(3, ring.dtype))
        assert len(SpscRing.attach(folder / "ring")) == 3
