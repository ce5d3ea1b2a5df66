"""numpy, C and C++ see the same fields at the same offsets; a wrong offset would still give plausible numbers.

numpy writes random bytes. Programs in C and C++, compiled against the committed headers, print every field by name.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.engine.analytics import records as level_records
from lowlat.engine.flow import records as flow_records
from lowlat.engine.journal import records as journal_records
from lowlat.engine.matching import records
from lowlat.engine.shared_book import records as book_records

ROOT = Path(__file__).parents[2]
ROWS = 20

C_STRUCTS = {
    "lowlat_command": records.COMMAND,
    "lowlat_extended_command": records.EXTENDED_COMMAND,
    "lowlat_event": records.EVENT,
    "lowlat_trade": records.TRADE,
    "lowlat_level": records.LEVEL,
    "lowlat_order": records.ORDER,
    "lowlat_stop": records.STOP,
}
CPP_STRUCTS = {
    "Command": records.COMMAND,
    "ExtendedCommand": records.EXTENDED_COMMAND,
    "Event": records.EVENT,
    "Trade": records.TRADE,
    "LevelRow": records.LEVEL,
    "OrderRow": records.ORDER,
    "StopRow": records.STOP,
    "LevelUpdate": level_records.LEVEL_UPDATE,
    "FollowedCommand": flow_records.FOLLOWED_COMMAND,
    "BlockHead": journal_records.BLOCK,
    "BookHeader": book_records.BOOK_HEADER,
}
PARTS = {"identity": "magic", "owner": "pid", "pulse": "sequence"}
"""The structs within a `BookHeader`, and the field that each begins with."""

C_PROGRAM = """\
#include <inttypes.h>
#include <stdio.h>
#include "engine/native/c_api/lowlat.h"
#define SHOW(value) \\
    ((value) < 0 ? printf("%" PRId64 "\\n", (int64_t)(value)) : printf("%" PRIu64 "\\n", (uint64_t)(value)))
#include <string.h>
int main(int count, char** words) {
    if (count != 2) return 2;
STRUCTS
    return 0;
}
"""
CPP_PROGRAM = """\
#include <cstdio>
#include <iostream>
#include <type_traits>
#include "engine/native/shared_book/records.hpp"
#include "engine/native/journal/records.hpp"
#include "engine/native/analytics/records.hpp"
#include "engine/native/flow/records.hpp"
#include "engine/native/matching/records.hpp"
template <typename T>
void show(const T& value) {
    if constexpr (std::is_array_v<T>)
        for (const char byte : value) std::cout << +static_cast<unsigned char>(byte) << ' ';
    else if constexpr (std::is_enum_v<T>)
        std::cout << +static_cast<std::underlying_type_t<T>>(value);
    else
        std::cout << +value;
    std::cout << '\\n';
}
#define SHOW(value) show(value)
#include <cstring>
using namespace lowlat;
using std::fread;
int main(int count, char** words) {
    if (count != 2) return 2;
STRUCTS
}
"""


def reading(struct: str, fields: list[str]) -> str:
    """Code that prints these fields of the records on stdin, if the program is asked for this struct."""
    shows = "\n".join(f"            SHOW(record.{field});" for field in fields)
    lines = [
        f'    if (strcmp(words[1], "{struct}") == 0) {{',
        f"        {struct} record;",
        f"        while (fread(&record, sizeof record, 1, stdin) == 1) {{\n{shows}\n        }}",
        "    }",
    ]
    return "\n".join(lines)


def program(text: str, structs: dict[str, np.dtype[np.void]], source: Path) -> Path:
    """A program compiled from source that prints the fields of the struct it is asked for."""
    code = "\n".join(reading(struct, paths(dtype)) for struct, dtype in structs.items())
    source.write_text(text.replace("STRUCTS", code))
    compiler = shutil.which("cc" if source.suffix == ".c" else "c++")
    if compiler is None:
        pytest.skip("no compiler is available here")
    standard = "-std=c11" if source.suffix == ".c" else "-std=c++20"
    made = source.with_suffix("")
    subprocess.run([compiler, standard, "-I", ROOT, source, "-o", made], check=True)
    return made


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(C_PROGRAM, C_STRUCTS, tmp_path_factory.mktemp("layouts") / "reads.c")


@pytest.fixture(scope="module")
def in_cpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(CPP_PROGRAM, CPP_STRUCTS, tmp_path_factory.mktemp("layouts") / "reads.cpp")


def random_rows(dtype: np.dtype[np.void]) -> np.ndarray[Any, np.dtype[np.void]]:
    return np.frombuffer(np.random.default_rng(7).bytes(ROWS * dtype.itemsize), dtype)


def printed(value: Any) -> str:
    if isinstance(value, np.void | bytes):
        return " ".join(str(byte) for byte in bytes(value))
    return str(value)


def shown(rows: np.ndarray[Any, np.dtype[np.void]]) -> list[str]:
    """The expected output of a program. Text is compared without trailing zeros, which numpy drops."""
    assert rows.dtype.names is not None and rows.dtype.fields is not None
    lines = []
    for row in rows:
        for name in rows.dtype.names:
            kind, offset = rows.dtype.fields[name][:2]
            value = row[name] if kind.kind != "S" else row.tobytes()[offset : offset + kind.itemsize]
            lines.append(printed(value))
    return lines


def paths(dtype: np.dtype[np.void]) -> list[str]:
    """The fields as C++ accesses them: those of a book's header are in nested structs."""
    names = list(dtype.names or ())
    if dtype != book_records.BOOK_HEADER:
        return names
    begins = {field: part for part, field in PARTS.items()}
    found, part = [], ""
    for name in names:
        part = begins.get(name, part)
        found.append(f"{part}.{name}")
    return found


@pytest.mark.parametrize("struct", C_STRUCTS)
def test_c_reads_what_numpy_wrote(in_c: Path, struct: str) -> None:
    rows = random_rows(C_STRUCTS[struct])
    done = subprocess.run([in_c, struct], input=rows.tobytes(), capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == [*shown(rows), ""]


@pytest.mark.parametrize("struct", CPP_STRUCTS)
def test_cpp_reads_what_numpy_wrote(in_cpp: Path, struct: str) -> None:
    rows = random_rows(CPP_STRUCTS[struct])
    done = subprocess.run([in_cpp, struct], input=rows.tobytes(), capture_output=True, check=True)
    assert [line.strip() for line in done.stdout.decode().split("\n")] == [*shown(rows), ""]


def test_a_layout_that_differs_is_found(in_c: Path) -> None:
    """The same test with a dtype in which two fields of one type are swapped."""
    names = list(records.EVENT.names or ())
    at, other = names.index("quantity"), names.index("remaining")
    fields = records.EVENT.fields
    assert fields is not None
    offsets = [fields[name][1] for name in names]
    offsets[at], offsets[other] = offsets[other], offsets[at]
    swapped = np.dtype(
        {"names": names, "formats": [fields[name][0] for name in names], "offsets": offsets, "itemsize": 64}
    )
    rows = random_rows(records.EVENT)
    done = subprocess.run([in_c, "lowlat_event"], input=rows.tobytes(), capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == [*shown(rows), ""]
    assert done.stdout.decode().split("\n") != [*shown(rows.view(swapped)), ""]
