"""Builds liblowlat, plain and sanitized, and programs against it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.built import built, tool

ROOT: Final = Path(__file__).parents[2]
HEADER: Final = ROOT / "engine/native/c_api/lowlat.h"
SANITIZERS: Final = [
    pytest.param("", id="plain"),
    pytest.param("address,undefined", id="address and undefined sanitizers", marks=pytest.mark.slow),
    pytest.param("thread", id="thread sanitizer", marks=pytest.mark.slow),
]


def run(*command: str | Path) -> str:
    """The output of a command that succeeds."""
    return run_bytes(*command).decode()


def run_bytes(*command: str | Path) -> bytes:
    """The same, not decoded."""
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout[-2000:] + done.stderr).decode(errors="replace")
    return done.stdout


def library(sanitizer: str = "") -> Path:
    """The shared library, built as documented. With a sanitizer it is not optimized: it compiles far sooner, and
    every access stays for the sanitizer to see.
    """
    if not sanitizer:
        return built("c-library", "-DLOWLAT_C_LIBRARY=ON") / "liblowlat.so"
    folder = f"c-library-{sanitizer.partition(',')[0]}"
    kind = "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0 -DNDEBUG"
    sanitized = f"-DLOWLAT_SANITIZE={sanitizer.replace(',', ';')}"
    return built(folder, "-DLOWLAT_C_LIBRARY=ON", sanitized, *kind) / "liblowlat.so"


def compiled(source: Path, program: Path, sanitizer: str = "") -> Path:
    """A program in C11 or C++20, compiled strictly against the library."""
    compiler = (
        [tool("cc"), "-std=c11"]
        if source.suffix == ".c"
        else [tool("c++"), "-std=c++20", "-O0" if sanitizer else "-Og"]
    )
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-I", ROOT, "-I", HEADER.parent]
    sanitized = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g"] if sanitizer else []
    linked = library(sanitizer)
    run(*compiler, *strict, *sanitized, source, "-o", program, linked, f"-Wl,-rpath,{linked.parent}")
    return program


def compiled_once(source: Path, sanitizer: str = "") -> Path:
    """The same, for all processes of a run: those with sanitizers take longest to compile."""
    linked = library(sanitizer)
    program = linked.with_name(source.stem)
    with (program.with_suffix(".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = [source, linked, *HEADER.parent.glob("*.h*")]
        if not program.exists() or program.stat().st_mtime < max(each.stat().st_mtime for each in made_from):
            compiled(source, program, sanitizer)
    return program


@cache
def fixed_addresses() -> list[str]:
    """The thread sanitizer of older compilers fails with the address space randomization of newer kernels."""
    setarch = shutil.which("setarch")
    works = setarch is not None and subprocess.run([setarch, "-R", "true"], check=False).returncode == 0
    return [str(setarch), "-R"] if works else []
