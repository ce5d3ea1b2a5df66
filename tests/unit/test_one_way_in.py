"""Files are opened, decompressed and parsed as TOML in one place each, which bounds them, and the digits of a text from
outside are those of ASCII; these tests find another way.

The rule is also shown to fail on planted violations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.test_one_of_each import ROOT, sources

ALLOWED = {
    "lowlat/inputs.py": {"os.open"},
    "lowlat/compression.py": {"bz2", "lzma", "zlib"},
    "lowlat/zip_member.py": {"zlib"},
    "lowlat/toml.py": {"tomllib"},
    # Parts of the package itself.
    "lowlat/documents.py": {".read_text"},
    "engine/flow/golden.py": {".read_text"},
    "engine/flow/profile.py": {".read_text"},
    "engine/flow/readers/table/mapping.py": {".read_text"},
    "engine/foreign/project.py": {".read_text"},
    "reports/page/html.py": {".read_text"},
    "lowlat_cli/verbs/completion.py": {".read_text"},
    # Written, or opened to be written.
    "lowlat/files.py": {"os.open", "os.fdopen"},
    "lowlat_cli/stdio.py": {"open", "os.open"},
    "reports/histogram/hlog_writer.py": {"os.open"},
    "probes/host/snapshot.py": {"tarfile", ".open"},
    "engine/bench/subprocess_run.py": {"open"},
    # A reader's own `open`, which opens by `lowlat.inputs`.
    # Created; books and rings are opened below a folder, never through a link.
    "engine/journal/creation.py": {"os.open"},
    "engine/journal/snapshot_file.py": {"os.fdopen"},
    "engine/shared_book/file.py": {"os.open", ".read_text"},
    "engine/rings/shared_memory.py": {"os.open"},
    "lowlat/host_lock.py": {"os.open"},
    # Memory of our own, and a descriptor from the parent process.
    "lowlat/child_process.py": {"mmap.mmap", "os.open", "os.fdopen"},
    "engine/conformance/shrinking.py": {"os.open"},
    "engine/foreign/library.py": {"os.open"},
    "probes/os_noise.py": {"mmap.mmap"},
    "engine/bench/run_setup.py": {"os.fdopen", "np.memmap"},
    "engine/ablation/worker.py": {"os.fdopen"},
    "fleet/partition_starter.py": {"os.open", "os.fdopen"},
    # The kernel's log; a device whose reads are registers, and one that is one number.
    "probes/host/kernel_log.py": {"os.open"},
    "probes/doctor/registers.py": {"os.open"},
    "probes/doctor/live_host.py": {"os.open"},
    # What is unpacked with limits of its own: the kernel's configuration, a histogram's blob. A checksum.
    "probes/host/redaction.py": {"gzip", "zlib"},
    "reports/histogram/hdr_codec.py": {"zlib"},
    "engine/shared_book/header.py": {"zlib"},
    # Named for a worker to call, on what this process sends it.
    "fleet/cluster.py": {"pickle"},
}
"""What each file may use of `WAYS` and `MODULES`."""
WAYS = {
    *("open", "io.open", "os.open", "os.fdopen", "mmap.mmap"),
    *("np.load", "np.fromfile", "np.memmap", "np.loadtxt", "np.genfromtxt"),
    *(".read_text", ".read_bytes", ".open", ".resolve"),
}
MODULES = {"bz2", "gzip", "lzma", "pickle", "shelve", "tarfile", "tomllib", "zipfile", "zlib"}
DIGITS = {"isdigit", "isdecimal", "isnumeric"}
"""These take the digits of every script: `lowlat.text.is_digits` takes those of ASCII, as `[0-9]` does in a pattern."""
OURS = {
    "inputs.read_bytes",
    "tree.read_bytes",
    "self._tree.read_bytes",
    "self.read_bytes",
    "self.native.open",
    "self.open",
}
"""Methods of our own with such a name: `lowlat.inputs`, trees of a host, and what reads no file."""


def ways_in(file: Path) -> Iterator[str]:
    """Each way to read a file that a source uses."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name in MODULES)
            case ast.ImportFrom(module=str(module)) if module in MODULES:
                yield module
            case ast.Call(func=function):
                name = ast.unparse(function)
                method = f".{name.rpartition('.')[2]}" if "." in name or ")" in name else name
                if name in WAYS:
                    yield name
                elif method in WAYS and name not in OURS and "." in name:
                    yield method


def other_digits(file: Path) -> Iterator[str]:
    """Each way in which a source takes digits of other scripts for digits."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(attr=str(name)) if name in DIGITS:
                yield name
            case ast.Constant(value=str(text)) if re.search(r"\\[dD]", text):
                yield "backslash d"


def elsewhere(root: Path) -> list[str]:
    """Each source that reads files by itself, and how."""
    found = []
    for file in sources(root):
        name = file.relative_to(root).as_posix()
        found += [f"{name}: {way}" for way in dict.fromkeys(ways_in(file)) if way not in ALLOWED.get(name, ())]
    return found


def test_files_are_read_in_one_place() -> None:
    assert elsewhere(ROOT) == []


def test_no_permission_is_left_over() -> None:
    used = {file: set(ways_in(ROOT / file)) for file in ALLOWED}
    assert {file: ways - used[file] for file, ways in ALLOWED.items() if ways - used[file]} == {}


@pytest.mark.parametrize(
    ("line", "way"),
    [
        ("text = path.read_text()", ".read_text"),
        ("data = Path(name).read_bytes()", ".read_bytes"),
        ("same = path.resolve() == other", ".resolve"),
        ("with path.open('rb') as file: pass", ".open"),
        ("with open(name) as file: pass", "open"),
        ("file = os.open(name, os.O_RDONLY)", "os.open"),
        ("import lzma", "lzma"),
        ("def f():\n    from tarfile import open", "tarfile"),
        ("import tomllib", "tomllib"),
        ("rows = np.fromfile(name)", "np.fromfile"),
        ("found = mmap.mmap(file, 0)", "mmap.mmap"),
    ],
)
def test_another_place_is_found(tmp_path: Path, line: str, way: str) -> None:
    (tmp_path / "reports/io").mkdir(parents=True)
    (tmp_path / "reports/io/mine.py").write_text(f"x = 1\n{line}\n")
    assert elsewhere(tmp_path) == [f"reports/io/mine.py: {way}"]


def non_ascii(root: Path) -> list[str]:
    """Each source that takes digits of other scripts, and how."""
    named = ((file.relative_to(root).as_posix(), file) for file in sources(root))
    return [f"{name}: {way}" for name, file in named if name != "lowlat/text.py" for way in other_digits(file)]


def test_digits_are_those_of_ascii() -> None:
    assert non_ascii(ROOT) == []


@pytest.mark.parametrize("line", ["ok = name.isdigit()", "f(map(str.isdecimal, x))", 'P = re.compile(r"x(\\d+)")'])
def test_digits_of_other_scripts_are_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes/mine.py").write_text(f"{line}\n")
    assert len(non_ascii(tmp_path)) == 1
