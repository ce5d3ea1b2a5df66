"""Measures which lines and branches of each parser its fuzzer reaches: `make fuzz-coverage FUZZ_SECONDS=60`, or
`python -P tools/measure/fuzz_coverage.py SECONDS [NAME...]` for some Python ones.

Builds the native fuzzers with gcc's counters and reads them with gcov; runs the Python ones under coverage.py. Both
with the drivers that need no libFuzzer, from the same seeds. Prints a Markdown table.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FUZZ: Final = ROOT / "tests/fuzz/parsers/fuzz.py"
sys.path.append(str(ROOT))  # last: the packages are those that are installed
NATIVE: Final = {
    "snapshot": (
        "journal/saved_state.hpp",
        "journal/saved_order_check.hpp",
        "journal/saved_state_check.hpp",
        "journal/snapshot.hpp",
    ),
    "journal": ("journal/reader.hpp", "journal/block.hpp"),
    "itch": (
        "feed/itch_stream.hpp",
        "feed/itch_framing.hpp",
        "feed/itch_decoder.hpp",
        "feed/itch_symbols.hpp",
        "feed/captured_packets.hpp",
        "feed/pcap.hpp",
        "feed/pcapng.hpp",
        "feed/udp.hpp",
        "feed/mold_udp64.hpp",
    ),
}
"""Fuzzers, and the headers in engine/native that they are for."""


@dataclass
class Reached:
    """What ran of one file: by line, whether it did, and how many of its branches."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[int, list[bool]] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """Add a line as gcov shows it; a template has one for each instance."""
        number, taken = line["line_number"], [branch["count"] > 0 for branch in line["branches"] if not branch["throw"]]
        self.lines[number] = self.lines.get(number, False) or line["count"] > 0
        before = self.branches.get(number, [])
        same = len(before) == len(taken)
        self.branches[number] = (
            [a or b for a, b in zip(before, taken, strict=True)] if same else max(before, taken, key=sum)
        )

    @property
    def row(self) -> tuple[int, int, int, int]:
        """Lines reached, lines, branches reached, branches."""
        taken = [each for line in self.branches.values() for each in line]
        return sum(self.lines.values()), len(self.lines), sum(taken), len(taken)


def run(*words: object, folder: Path = ROOT) -> str:
    """The output of a command that must succeed."""
    return subprocess.run([str(word) for word in words], cwd=folder, check=True, capture_output=True, text=True).stdout


def build() -> Path:
    """The native fuzzers with counters, at zero."""
    folder, tools = ROOT / "build/fuzz-coverage", Path(sys.executable).parent
    options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}", "-DLOWLAT_FUZZ=ON", "-DLOWLAT_COVERAGE=ON"]
    run(tools / "cmake", "-S", ROOT, "-B", folder, "-DCMAKE_CXX_COMPILER=g++", *options)
    run(tools / "cmake", "--build", folder, "--target", *(f"fuzz_{name}" for name in NATIVE))
    for counters in folder.rglob("*.gcda"):
        counters.unlink()
    return folder


def native_rows(name: str, seconds: str, built: Path) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """A row for each header of a native fuzzer."""
    corpus = sorted((ROOT / "tests/fuzz/corpus").iterdir())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run(built / f"fuzz_{name}", seconds, "1", *corpus, folder=folder)
        counters = next((built / f"CMakeFiles/fuzz_{name}.dir").rglob(f"fuzz_{name}.cpp.gcda"))
        run("gcov", "--json-format", "--branch-probabilities", counters, folder=folder)
        found: dict[str, Reached] = defaultdict(Reached)
        for written in folder.glob("*.gcov.json.gz"):
            for file in json.loads(gzip.decompress(written.read_bytes()))["files"]:
                for line in file["lines"]:
                    found[file["file"].rpartition("engine/native/")[2]].add(line)
    for header in NATIVE[name]:
        yield f"engine/native/{header}", found[header].row


def python_rows(name: str, seconds: str, sources: Iterable[str]) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """A row for each file of a Python target."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        include = ",".join(str(ROOT / source) for source in sources)
        coverage = (sys.executable, "-P", "-m", "coverage")
        run(*coverage, "run", "--branch", f"--include={include}", FUZZ, name, seconds, "--plain", folder=folder)
        run(*coverage, "json", "-q", "-o", "found.json", folder=folder)
        files = json.loads((folder / "found.json").read_text())["files"]
        for path, file in sorted(files.items()):
            sums = file["summary"]
            row = sums["covered_lines"], sums["num_statements"], sums["covered_branches"], sums["num_branches"]
            yield str(Path(path).resolve().relative_to(ROOT) if Path(path).is_absolute() else path), row


def main() -> None:
    """Print the table."""
    from tests.fuzz.parsers.targets import TARGETS

    seconds, names = sys.argv[1], sys.argv[2:]
    if shutil.which("gcov") is None:
        raise SystemExit("lowlat: gcov is missing. Install it: apt install g++")
    print("| Fuzzer | File | Lines | Branches |\n|---|---|--:|--:|")
    parts: list[tuple[str, Iterator[tuple[str, tuple[int, int, int, int]]]]] = []
    if not names:
        built = build()
        parts += [(f"fuzz_{name}", native_rows(name, seconds, built)) for name in NATIVE]
    parts += [(name, python_rows(name, seconds, TARGETS[name].sources)) for name in names or TARGETS]
    for name, rows in parts:
        for path, (lines, all_lines, branches, all_branches) in rows:
            print(f"| `{name}` | `{path}` | {lines}/{all_lines} | {branches}/{all_branches} |", flush=True)


if __name__ == "__main__":
    main()
