"""A release build's native modules and liblowlat end the process at a memory error instead of going on, by `readelf`.

The same check must reject a library that is built without each of the flags.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lowlat.engine._core as engine
import lowlat.probes._core as probes
import lowlat.reports._core as reports
from tests.native.c_library import library

READELF, COMPILER = shutil.which("readelf"), shutil.which("c++")

pytestmark = [
    pytest.mark.skipif(READELF is None or COMPILER is None, reason="no compiler and readelf here"),
    pytest.mark.skipif(bool(engine.build_facts()["sanitize"]), reason="a sanitized build is not hardened"),
]

SOURCE = """
#include <cstdio>
#include <cstring>
extern "C" void use(char*);
extern "C" void greet(const char* name) {
    char text[64];
    std::strcpy(text, name);
    use(text);
}
"""
COMPILED = ["-O3", "-fPIC", "-shared"]
GUARDED, FORTIFIED = "-fstack-protector", "-D_FORTIFY_SOURCE=3"
READ_ONLY = ["-Wl,-z,relro,-z,now"]


def lacks(library: Path) -> set[str]:
    """What a shared library lacks."""
    told = subprocess.run(
        [str(READELF), "--wide", "--dynamic", "--program-headers", "--dyn-syms", library],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    stack = re.search(r"GNU_STACK.* (R[W ][E ]) ", told)
    has = {
        "stack protector": "__stack_chk_fail" in told,
        "fortified calls": re.search(r"__\w+_chk\b(?<!__stack_chk)", told) is not None,
        "relocations that are read-only": "GNU_RELRO" in told,
        "symbols bound at the start": re.search(r"BIND_NOW|FLAGS.*\bNOW\b", told) is not None,
        "a stack that is not executable": stack is not None and "E" not in stack[1],
    }
    return {name for name, there in has.items() if not there}


@pytest.mark.parametrize("module", [engine, probes, reports], ids=lambda module: module.__name__)
def test_a_native_module_is_hardened(module: object) -> None:
    fortified = {"fortified calls"} if module is reports else set()  # it calls nothing that has a checked form
    assert lacks(Path(str(module.__file__))) <= fortified  # type: ignore[attr-defined]


def test_the_c_library_is_hardened() -> None:
    assert lacks(library()) == set()


@pytest.mark.parametrize(
    ("flags", "lacking"),
    [
        ([GUARDED, FORTIFIED, *READ_ONLY], set()),
        (["-fno-stack-protector", FORTIFIED, *READ_ONLY], {"stack protector"}),
        ([GUARDED, "-U_FORTIFY_SOURCE", *READ_ONLY], {"fortified calls"}),
        ([GUARDED, FORTIFIED, "-Wl,-z,norelro,-z,now"], {"relocations that are read-only"}),
        ([GUARDED, FORTIFIED, "-Wl,-z,relro,-z,lazy"], {"symbols bound at the start"}),
        ([GUARDED, FORTIFIED, *READ_ONLY, "-Wl,-z,execstack"], {"a stack that is not executable"}),
    ],
)
def test_a_library_without_a_flag_is_rejected(tmp_path: Path, flags: list[str], lacking: set[str]) -> None:
    (tmp_path / "greet.cpp").write_text(SOURCE)
    library = tmp_path / "greet.so"
    command = [str(COMPILER), *COMPILED, *flags, tmp_path / "greet.cpp", "-o", library]
    subprocess.run(command, check=True, capture_output=True)
    assert lacks(library) == lacking
