"""The foreign engines of the tests, each built once and then found by what it was built from.

`simple_book.cpp`, `simple_book.c` and `ours.c` are right. `broken` ones are `simple_book.cpp` with one fault of
matching. Those in `bad/`, a file each, break the contract of `lowlat_engine.h`; most are `simple_book.c` with one
thing spoiled.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

from tests.built import ROOT, built, tool

FOLDER = Path(__file__).parent
INTERFACE = ROOT / "engine/native/foreign"

BAD = tuple(sorted(file.stem for file in (FOLDER / "bad").glob("*.c*")))
"""Names of the bad libraries."""

BROKEN = {
    "last-in-first-out": ("Order& maker = queue.front();", "Order& maker = queue.back();"),
    "partial-fill-loses-its-place": (
        "if (maker.remaining == 0) take_out(queue.begin(), book);",
        """if (maker.remaining == 0) {
                take_out(queue.begin(), book);
            } else {
                queue.splice(queue.end(), queue, queue.begin());
            }""",
    ),
    "larger-keeps-its-place": (
        "order.price == resting.price && order.remaining <= resting.remaining",
        "order.price == resting.price",
    ),
    "fok-trades-in-part": ("command.time_in_force == LOWLAT_FOK && !book", "false && !book"),
}
"""Faults of matching: what `simple_book.cpp` says, and what the broken one says instead."""


def simple_book() -> Path:
    """A right engine in C++, which calls back with each event."""
    return _built("simple_book", FOLDER / "simple_book.cpp")


def simple_book_in_c() -> Path:
    """A right engine in C of few capabilities, which fills a buffer with its events."""
    return _built("simple_book_in_c", FOLDER / "simple_book.c")


def ours() -> Path:
    """Our own engine as a foreign one, of every capability."""
    lowlat = built("c-library", "-DLOWLAT_C_LIBRARY=ON") / "liblowlat.so"
    linked = ("-I", str(ROOT / "engine/native/c_api"), str(lowlat), f"-Wl,-rpath,{lowlat.parent}")
    return _built("ours", FOLDER / "ours.c", *linked)


def broken(fault: str) -> Path:
    """`simple_book.cpp` with one of `BROKEN`."""
    right, wrong = BROKEN[fault]
    text = (FOLDER / "simple_book.cpp").read_text(encoding="utf-8")
    assert text.count(right) == 1, f"{fault}: simple_book.cpp says {right!r} {text.count(right)} times"
    source = _folder() / f"{fault}.cpp"
    _write(source, text.replace(right, wrong))
    return _built(fault, source)


def bad(name: str) -> Path:
    """The library of `bad/NAME.c` or `bad/NAME.cpp`."""
    (source,) = (FOLDER / "bad").glob(f"{name}.c*")
    return _built(name, source)


@cache
def _folder() -> Path:
    """Where the libraries of these sources are. Other sources have another folder."""
    digest = hashlib.sha256()
    for file in (INTERFACE / "lowlat_engine.h", *sorted(FOLDER.rglob("*.[ch]*")), Path(__file__)):
        digest.update(file.read_bytes())
    folder = ROOT / "build/foreign-engines" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ring_book() -> Path:
    """A right engine as a program, which takes commands from one ring and writes events to another."""
    return _built("ring_book", FOLDER / "ring_book.cpp", suffix="")


@cache
def _built(name: str, source: Path, *linked: str, suffix: str = ".so") -> Path:
    """The shared library, or the program, of a source; another process that builds it is waited for."""
    library = _folder() / f"{name}{suffix}"
    with (_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            _compile(source, library, *linked)
    return library


def _compile(source: Path, library: Path, *linked: str) -> None:
    language = [tool("c++"), "-std=c++20"] if source.suffix == ".cpp" else [tool("cc"), "-std=c11"]
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    shared = ["-O2", "-fPIC", "-fvisibility=hidden", "-I", INTERFACE, *(["-shared"] if library.suffix == ".so" else [])]
    unfinished = library.with_suffix(".unfinished")
    done = subprocess.run(
        [*language, *strict, *shared, source, *linked, "-o", unfinished], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    unfinished.rename(library)


def _write(file: Path, text: str) -> None:
    """At once: another process may be compiling it."""
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(file)
