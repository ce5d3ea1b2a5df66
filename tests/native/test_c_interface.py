"""The C interface does what the header says, exports only what the header declares, and gives the same events as the
engine from Python.

`c_interface.c` beside this file is the caller written in C. This file builds the library, inspects it, and calls it
with numpy's arrays as they are in memory.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import Engine, load_profile, synthetic_flow
from lowlat.engine.matching import records
from lowlat.engine.matching.config_codec import RULE_FIELDS
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    EVENT,
    EXTENDED_COMMAND,
    ORDER,
    Commands,
    MatchAlgorithm,
    PoolPolicy,
    TickRounding,
)
from tests.built import tool
from tests.documented import blocks
from tests.native.c_library import HEADER, ROOT, SANITIZERS, compiled, fixed_addresses, library, run
from tests.waiting import PATIENCE_S

OK, BUSY = 0, 9


@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("program", ["c_interface.c", "c_execute.c"])
def test_a_program_in_c(program: str, sanitizer: str, tmp_path: Path) -> None:
    source = ROOT / "tests/native" / program
    assert run(*fixed_addresses(), compiled(source, tmp_path / "program", sanitizer)) == ""


PAGE = ROOT / "docs/how-to/use-from-c.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the page's commands install, but for the places."""
    (build,) = blocks(PAGE, "sh")
    assert f"-B build/{library().parent.name} -DLOWLAT_C_LIBRARY=ON && cmake --build" in build
    assert f"cmake --install build/{library().parent.name} --prefix " in build
    prefix = tmp_path_factory.mktemp("installed")
    run(tool("cmake"), "--install", library().parent, "--prefix", prefix)
    return prefix


STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@pytest.mark.parametrize("compiler", [["cc", "-std=c11"], ["cc", "-std=c17"]], ids=" ".join)
def test_the_documented_program_in_c(compiler: list[str], installed: Path, tmp_path: Path) -> None:
    (tmp_path / "documented.c").write_text("".join(blocks(PAGE, "c")))
    (beneath,) = installed.glob("lib*/**/liblowlat.so")
    paths = ["-I", installed / "include", "-L", beneath.parent, f"-Wl,-rpath,{beneath.parent}"]
    command = [tool(compiler[0]), compiler[1], *STRICT]
    run(*command, tmp_path / "documented.c", "-o", tmp_path / "program", *paths, "-llowlat")
    assert run(tmp_path / "program") == "2 at 101\n"


@pytest.mark.slow
@pytest.mark.parametrize("standard", ["-std=c++20", "-std=c++23"])
def test_the_documented_program_in_cpp(standard: str, installed: Path, tmp_path: Path) -> None:
    """Two files that include the header are one program, without the library."""
    (tmp_path / "documented.cpp").write_text("".join(blocks(PAGE, "cpp")))
    (tmp_path / "second.cpp").write_text(
        "#include <lowlat.hpp>\nvoid reset(lowlat::Engine& engine) { engine.reset(); }\n"
    )
    sources = tmp_path / "documented.cpp", tmp_path / "second.cpp"
    run(tool("c++"), standard, *STRICT, "-I", installed / "include", *sources, "-o", tmp_path / "program")
    assert run(tmp_path / "program") == "2 at 101\n"


@pytest.mark.parametrize("standard", ["-std=c++11", "-std=c++17", "-std=c++20"])
def test_the_header_is_c_plus_plus_too(standard: str, installed: Path, tmp_path: Path) -> None:
    source = tmp_path / "includes.cpp"
    source.write_text("#include <lowlat.h>\nint main() { return lowlat_claim(nullptr) != LOWLAT_NULL_ARGUMENT; }\n")
    run(tool("c++"), standard, *STRICT, "-I", installed / "include", "-fsyntax-only", source)


def test_an_older_standard_is_told_what_the_front_needs(installed: Path, tmp_path: Path) -> None:
    source = tmp_path / "includes.cpp"
    source.write_text("#include <lowlat.hpp>\n")
    compiler = [tool("c++"), "-std=c++17", "-fsyntax-only", "-I", installed / "include", source]
    done = subprocess.run(compiler, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "lowlat.hpp needs C++20: compile with -std=c++20, or use lowlat.h" in done.stderr


def test_it_shows_what_the_header_declares_versioned_and_nothing_else() -> None:
    declared = set(re.findall(r"^LOWLAT_API .*?\b(lowlat_\w+)\(", HEADER.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(declared) == 21
    shown = [line.split()[-1] for line in run(tool("nm"), "-D", "--defined-only", library()).splitlines()]
    assert sorted(shown) == sorted({"LOWLAT_1"} | {f"{name}@@LOWLAT_1" for name in declared})


def test_it_has_a_version_of_its_own_and_needs_no_python() -> None:
    dynamic = run(tool("readelf"), "-d", library())
    assert "[liblowlat.so.1]" in dynamic
    assert "python" not in dynamic.lower()


class SymbolRules(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in RULE_FIELDS]


class EngineConfig(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("rules_size", ctypes.c_size_t),
        ("rules", ctypes.POINTER(SymbolRules)),
        ("symbols", ctypes.c_uint32),
        ("orders", ctypes.c_uint32),
        ("trades", ctypes.c_uint64),
        ("when_orders_dry", ctypes.c_uint32),
        ("when_trades_dry", ctypes.c_uint32),
    ]


class CEngine:
    """An engine behind the C interface."""

    def __init__(self, instruments: list[Instrument], orders: int = 50_000) -> None:
        self.library = ctypes.CDLL(str(library()))
        self.handle = ctypes.c_void_p()
        rules = (SymbolRules * len(instruments))(
            *[SymbolRules(*(getattr(each, name) for name in RULE_FIELDS)) for each in instruments]
        )
        sizes = ctypes.sizeof(EngineConfig), ctypes.sizeof(SymbolRules)
        settings = EngineConfig(*sizes, rules, len(instruments), orders, 1_000, PoolPolicy.REJECT, PoolPolicy.RECYCLE)
        assert self.library.lowlat_create(ctypes.byref(settings), ctypes.byref(self.handle)) == OK

    def close(self) -> None:
        self.library.lowlat_destroy(self.handle)

    def process(self, commands: Commands) -> int:
        name = "lowlat_process_extended" if commands.dtype == EXTENDED_COMMAND else "lowlat_process"
        count = ctypes.c_size_t(len(commands))
        return int(getattr(self.library, name)(self.handle, ctypes.c_void_p(commands.ctypes.data), count))

    def drain(self, room: int) -> bytes:
        """All pending events, `room` at a time. As bytes, since numpy would not copy padding."""
        drained = b""
        count = ctypes.c_size_t(1)
        while count.value:
            part = np.zeros(room, EVENT)
            into = ctypes.c_void_p(part.ctypes.data)
            assert self.library.lowlat_drain(self.handle, into, ctypes.c_size_t(room), ctypes.byref(count)) == OK
            drained += part[: count.value].tobytes()
        return drained

    def orders(self, room: int) -> np.ndarray:
        rows = np.zeros(room, ORDER)
        count = ctypes.c_size_t()
        into = ctypes.c_void_p(rows.ctypes.data)
        status = self.library.lowlat_get_orders(self.handle, 0, into, ctypes.c_size_t(room), ctypes.byref(count))
        assert status == OK
        return rows[: count.value]


def test_it_is_the_engine_that_python_has() -> None:
    flow = synthetic_flow(load_profile("steady"), 50_000, 1)
    python = Engine(orders=flow.orders)
    c = CEngine([Instrument()], flow.orders)
    for part in np.array_split(np.arange(len(flow.commands)), 7):
        assert c.process(flow.commands[part[0] : part[-1] + 1]) == OK
    assert c.drain(room=999) == python.process(flow.commands).tobytes()
    assert c.orders(flow.orders).tobytes() == python.orders().tobytes()
    c.close()


def test_every_kind_of_every_symbol_is_the_same() -> None:
    """Small numbers and every term, so that most of docs/matching.md happens, rejections included."""
    random = np.random.default_rng(1)
    commands = np.zeros(50_000, EXTENDED_COMMAND)
    below = {
        "order_id": 200,
        "quantity": 12,
        "symbol": 3,
        "kind": 11,
        "side": 2,
        "display_quantity": 6,
        "participant_id": 3,
        "expiry": 9,
    }
    for name, high in below.items():
        commands[name] = random.integers(0, high, len(commands))
    commands["price"] = np.where(
        commands["kind"] == records.CommandType.MARKET, 0, random.integers(95, 106, len(commands))
    )
    commands["self_trade"] = random.integers(0, 5, len(commands))
    commands["time_in_force"] = random.choice([0, 0, 0, 1, 2, 3, 4], len(commands))
    commands["flags"] = random.choice([0, 0, 0, 1, 3, 4], len(commands))
    stops = np.isin(
        commands["kind"], [records.CommandType.STOP, records.CommandType.STOP_LIMIT, records.CommandType.TRAILING_STOP]
    )
    commands["trigger"] = np.where(stops, random.integers(90, 111, len(commands)), 0)
    commands["display_quantity"][random.random(len(commands)) < 0.7] = 0
    commands["expiry"][commands["time_in_force"] != records.TimeInForce.GTD] = 0
    for name in (
        "time_in_force",
        "flags",
        "display_quantity",
        "expiry",
        "participant_id",
        "self_trade",
    ):  # a REPLACE has no terms
        commands[name][commands["kind"] == records.CommandType.REPLACE] = 0
    phase = commands["kind"] == records.CommandType.PHASE
    commands["quantity"][phase] = random.choice([0, 0, 0, 1, 2, 3], int(phase.sum()))
    instruments = [
        Instrument(),
        Instrument(algorithm=MatchAlgorithm.PRO_RATA),
        Instrument(tick=2, price_min=90, price_max=104, off_tick=TickRounding.PASSIVE),
    ]
    python = Engine(instruments)
    c = CEngine(instruments)
    assert c.process(commands) == OK
    expected = python.process(commands)
    assert {*expected["kind"].tolist()} == {*records.ExecType}
    assert c.drain(room=1_000) == expected.tobytes()
    c.close()


def test_a_second_thread_is_told_that_the_engine_is_busy() -> None:
    flow = synthetic_flow(load_profile("steady"), 100_000, 1)
    c = CEngine([Instrument()], flow.orders)
    seen = threading.Event()

    def work() -> None:
        while not seen.is_set():  # nearly always inside, and without the interpreter's lock
            c.process(flow.commands)
            c.library.lowlat_reset(c.handle)

    first = threading.Thread(target=work)
    first.start()
    best = (ctypes.c_int64 * 4)()
    answers = set()
    deadline = time.monotonic() + PATIENCE_S
    while BUSY not in answers and time.monotonic() < deadline:
        answers.add(c.library.lowlat_get_top_of_book(c.handle, 0, best))
    seen.set()
    first.join()
    assert BUSY in answers
    assert answers <= {OK, BUSY}
    assert c.library.lowlat_reset(c.handle) == OK
    assert c.process(flow.commands) == OK
    assert c.drain(room=1_000_000) == Engine(orders=flow.orders).process(flow.commands).tobytes()
    c.close()
