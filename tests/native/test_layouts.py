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
int main(void) {
    STRUCT record;
    while (fread(&record, sizeof record, 1, stdin) == 1) {
FIELDS
    }
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
int main() {
    lowlat::STRUCT record;
    while (std::fread(&record, sizeof record, 1, stdin) == 1) {
FIELDS
    }
}
"""


def program(text: str, struct: str, fields: list[str], source: Path) -> Path:
    """A program compiled from source that prints these fields of a struct."""
    shows = "\n".join(f"        SHOW(record.{field});" for field in fields)
    source.write_text(text.replace("STRUCT", struct).replace("FIELDS", shows))
    compiler = shutil.which("cc" if source.suffix == ".c" else "c++")
    if compiler is None:
        pytest.skip("no compiler is available here")
    standard = "-std=c11" if source.suffix == ".c" else "-std=c++20"
    made = source.with_suffix("")
    subprocess.run([compiler, standard, "-I", ROOT, source, "-o", made], check=True)
    return made


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
def test_c_reads_what_numpy_wrote(tmp_path: Path, struct: str) -> None:
    dtype = C_STRUCTS[struct]
    made = program(C_PROGRAM, struct, list(dtype.names or ()), tmp_path / "reads.c")
    rows = random_rows(dtype)
    done = subprocess.run([made], input=rows.tobytes(), capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == [*shown(rows), ""]


@pytest.mark.parametrize("struct", CPP_STRUCTS)
def test_cpp_reads_what_numpy_wrote(tmp_path: Path, struct: str) -> None:
    dtype = CPP_STRUCTS[struct]
    made = program(CPP_PROGRAM, struct, paths(dtype), tmp_path / "reads.cpp")
    rows = random_rows(dtype)
    done = subprocess.run([made], input=rows.tobytes(), capture_output=True, check=True)
    assert [line.strip() for line in done.stdout.decode().split("\n")] == [*shown(rows), ""]


def test_a_layout_that_differs_is_found(tmp_path: Path) -> None:
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
    made = program(C_PROGRAM, "lowlat_event", names, tmp_path / "reads.c")
    rows = random_rows(records.EVENT)
    done = subprocess.run([made], input=rows.tobytes(), capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == [*shown(rows), ""]
    assert done.stdout.decode().split("\n") != [*shown(rows.view(swapped)), ""]
