"""`schema/records.toml` is the only definition of records, enumerations and order kinds.

The files generated from it are committed, and must be what the generator writes. The tests also edit each generated
file, to see that this is detected, and add a kind as described in CONTRIBUTING.md, to see that everything compiles.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lowlat.engine.matching.records import MAY_SAY, CommandType, TimeInForce

ROOT = Path(__file__).parents[2]
GENERATOR = ROOT / "tools/generate"
SCHEMA = "schema/records.toml"
ROOMS = ("matching", "journal", "shared_book", "analytics", "flow", "feed", "rings")
GENERATED = [
    *(f"engine/native/{room}/records.hpp" for room in ROOMS),
    *(f"engine/{room}/records.py" for room in ROOMS),
    "engine/native/c_api/same_bytes.hpp",
    "engine/native/c_api/lowlat.h",
    "engine/foreign/records.py",
    "engine/native/foreign/lowlat_engine.h",
    "engine/foreign/template/rust/lowlat_engine.rs",
    "docs/matching.md",
]
A_KIND = """
[enums.CommandType.members.PEGGED]
value = 11
about = "Follows the best price of its side."
docs = ["follows the best price of its side", "`ACCEPTED`"]
states = ["order_id", "symbol", "side", "quantity", "price", "time_in_force"]
may_say.GTC = ["display_quantity"]
may_say.DAY = []

# -- what the fields of commands hold"""


def generate(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, GENERATOR, *options, root]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the schema and of everything generated from it."""
    for file in (SCHEMA, *GENERATED):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_what_is_committed_is_what_is_generated() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("engine/native/matching/records.hpp", "market = 2", "market = 12"),
        ("engine/native/journal/records.hpp", "drain = 3", "drain = 4"),
        ("engine/native/shared_book/records.hpp", "offsetof(BookOwner, pid) == 0", "offsetof(BookOwner, pid) == 8"),
        ("engine/native/analytics/records.hpp", "std::int64_t quantity", "std::uint64_t quantity"),
        ("engine/native/flow/records.hpp", "std::uint32_t lifetime", "std::uint64_t lifetime"),
        ("engine/native/feed/records.hpp", "replace = 5", "replace = 6"),
        ("engine/native/rings/records.hpp", "spin = 0", "spin = 3"),
        ("engine/matching/records.py", "SELL = 1", "SELL = 2"),
        ("engine/journal/records.py", "TORN = 1", "TORN = 2"),
        ("engine/shared_book/records.py", '"<u8", "<u4"', '"<u8", "<i4"'),
        ("engine/analytics/records.py", '"<i8", "<i8"', '"<i8", "<u8"'),
        ("engine/flow/records.py", '"<i8", "<i8"', '"<i8", "<u8"'),
        ("engine/feed/records.py", "REPLACE = 5", "REPLACE = 6"),
        ("engine/rings/records.py", "SPSC = 1", "SPSC = 2"),
        ("engine/native/c_api/same_bytes.hpp", "lowlat_event) == 64", "lowlat_event) == 32"),
        ("engine/native/c_api/lowlat.h", "uint32_t maker_remaining", "uint32_t makers_remaining"),
        ("engine/foreign/records.py", "IOC = 2", "IOC = 3"),
        ("engine/native/foreign/lowlat_engine.h", "CAPABILITY_FOK = 4", "CAPABILITY_FOK = 5"),
        ("engine/foreign/template/rust/lowlat_engine.rs", "pub maker_id: u64", "pub maker_id: u32"),
        ("docs/matching.md", "trades whole at once", "trades at once"),
    ],
)
def test_an_edit_of_what_is_generated_is_found(copy: Path, file: str, old: str, new: str) -> None:
    edit(copy / file, old, new)
    done = generate(copy, "--check")
    assert done.returncode == 1
    assert done.stdout == f"{file} is not what schema/records.toml says; run `make stubs`\n"
    assert generate(copy).returncode == 0
    assert (copy / file).read_text() == (ROOT / file).read_text()


def test_every_generated_file_is_edited_above() -> None:
    marks = test_an_edit_of_what_is_generated_is_found.pytestmark  # type: ignore[attr-defined]
    assert [case[0] for case in marks[0].args[1]] == GENERATED


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("value = 10\n", "value = 11\n", r"CommandType has the values .*, which leave a gap"),
        ('zero = ["uint8[7]"]', 'zero = ["uint8[6]"]', "the fields of ExtendedCommand take 63 bytes, not 64"),
        ('symbol = ["uint32", "Symbols', 'symbol = ["uint64", "Symbols', "symbol|the fields of Command take 36 bytes"),
        ('may_say.GTC = ["trigger"]', 'may_say.GTC = ["tigger"]', "STOP names tigger, which no command has"),
        ('[0, "Bids."]', f'[0, "{"Bids. " * 20}"]', "a line of .* columns; shorten its sentence"),
    ],
)
def test_a_schema_that_cannot_be_right_is_refused(copy: Path, old: str, new: str, error: str) -> None:
    edit(copy / SCHEMA, old, new)
    done = generate(copy)
    assert done.returncode == 1
    assert re.match(f"schema/records.toml: ({error})", done.stderr)


@pytest.mark.parametrize("module", [file for file in GENERATED if file.endswith(".py")])
def test_generated_modules_import_numpy_and_the_standard_library_only(module: str) -> None:
    tree = ast.parse((ROOT / module).read_text())
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    roots = {str(name).split(".")[0] for name in modules}
    assert roots <= {"__future__", "collections", "enum", "typing", "numpy"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize(
    "kind", [CommandType.LIMIT, CommandType.MARKET, CommandType.STOP, CommandType.STOP_LIMIT, CommandType.TRAILING_STOP]
)
@pytest.mark.parametrize("time", TimeInForce)
def test_what_an_order_may_say_is_what_the_contract_says(kind: CommandType, time: TimeInForce) -> None:
    """Checks 4 and 6 of docs/matching.md: both engines use the same table, so comparing them would not find
    an error.
    """
    stop = kind in (CommandType.STOP, CommandType.STOP_LIMIT, CommandType.TRAILING_STOP)
    limit_that_rests = kind == CommandType.LIMIT and time not in (TimeInForce.IOC, TimeInForce.FOK)
    taken = not (kind == CommandType.MARKET and time in (TimeInForce.DAY, TimeInForce.GTD))
    taken = taken and not (stop and time in (TimeInForce.IOC, TimeInForce.FOK))
    said = {
        *(["trigger"] if stop else []),
        *(["TRAIL_BASIS_POINTS"] if kind == CommandType.TRAILING_STOP else []),
        *(["expiry"] if time == TimeInForce.GTD else []),
        *(["display_quantity", "POST_ONLY", "PRICE_SLIDE", "ALL_OR_NONE"] if limit_that_rests else []),
    }
    assert MAY_SAY[kind].get(time) == (said if taken else None)


def compiled(root: Path, source: Path) -> None:
    """Compile a source with the headers of `root` before ours."""
    compiler = shutil.which("cc" if source.suffix == ".c" else "c++")
    if compiler is None:
        pytest.skip("no compiler is available here")
    standard = "-std=c11" if source.suffix == ".c" else "-std=c++20"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [compiler, standard, *warnings, "-fsyntax-only", "-I", root, "-I", ROOT, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_kind_that_is_added_reaches_every_language(copy: Path) -> None:
    edit(copy / SCHEMA, "\n# -- what the fields of commands hold", A_KIND)
    assert generate(copy).returncode == 0
    names = {}
    exec((copy / "engine/matching/records.py").read_text(), names)
    added = names["CommandType"].PEGGED
    assert added in names["PRICED_KINDS"] and added not in names["STOP_KINDS"]
    assert names["MAY_SAY"][added] == {TimeInForce.GTC: {"display_quantity"}, TimeInForce.DAY: set()}
    (copy / "in_c.c").write_text(
        '#include "engine/native/c_api/lowlat.h"\nenum { PEGGED = 1 / (LOWLAT_PEGGED == 11) };\n'
    )
    compiled(copy, copy / "in_c.c")
    (copy / "in_cpp.cpp").write_text(
        '#include "engine/native/matching/matcher.hpp"\n'
        "using namespace lowlat;\n"
        "constexpr Command pegged{0, 0, 0, 0, CommandType::pegged, 0, 0, 0};\n"
        "static_assert(known(pegged.kind) && is_order(pegged) && !is_stop(pegged) && has_price(pegged));\n"
        "constexpr auto& may = may_say[static_cast<std::size_t>(CommandType::pegged)];\n"
        "static_assert(may[0] == (says_time | says_display_quantity) && may[1] == 0 && may[3] == says_time);\n"
    )
    compiled(copy, copy / "in_cpp.cpp")
    assert "| `PEGGED` | follows the best price of its side |" in (copy / "docs/matching.md").read_text(
        encoding="utf-8"
    )
