"""Every block of Python and of shell in README.md and docs/ is run as it stands, page by page, in an empty folder.

A page is followed from top to bottom: its Python is one program, and its shell commands run where they stand between.
Only the amount of work is small, by settings in the environment. What a reader is told to have is made here.
"""

from __future__ import annotations

import lzma
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from lowlat.reports.io.loader import report_of
from lowlat.reports.outputs.hlog import of_report
from tests import feed_files
from tests.documented import PAGES, README, ROOT, SHELL, Block, Followed, blocks, blocks_of, follow, named
from tests.foreign import libraries
from tests.itch_day import ItchDay
from tests.recorded_day import recorded_day

LOWLAT = Path(sys.executable).with_name("lowlat")
PYTHON = [page for page in PAGES if blocks(page, "python")]
RUN = [
    page
    for page in PAGES
    if any(block.language in {*SHELL, "python"} and not block.not_run for block in blocks_of(page.read_text("utf-8")))
]
QUICK = {
    "docs/explanation/latency.md",
    "docs/how-to/profile-python-code.md",
    "docs/how-to/rebuild-a-book.md",
    "docs/how-to/use-from-python.md",
    "docs/how-to/watch-a-book.md",
    "docs/reference/commands/affinity.md",
    "docs/reference/commands/calibrate.md",
    "docs/reference/commands/topology.md",
    "docs/reference/python/engine.md",
    "docs/reference/python/flow.md",
}
"""Pages of less than two seconds of CPU time."""

NOT_RUN = {
    "README.md": ["sets up an environment and builds for minutes"],
    "docs/explanation/fuzzing.md": ["needs an input that ended a fuzzer", "fuzzes for minutes"],
    "docs/how-to/gate-ci.md": ["a workflow of GitHub"] * 2,
    "docs/how-to/measure-a-fleet.md": ["needs a cluster", "needs the directory of a fleet"],
    "docs/how-to/measure-the-network.md": ["needs a second host"],
    "docs/how-to/rebuild-a-book.md": ["needs a copy of another program"],
    "docs/how-to/replay-a-day.md": ["needs a day of NASDAQ"],
    "docs/how-to/set-up-the-shell.md": ["for another shell"] * 2,
    "docs/how-to/watch-a-book.md": ["needs two terminals"] * 2,
    "docs/reference/commands/book.md": ["needs two terminals"] * 2,
    "docs/how-to/use-from-c.md": ["tests/native/test_c_interface.py builds and installs the library"],
    "docs/index.md": ["sets up an environment and builds for minutes"],
    "docs/reference/profiles.md": ["needs a recording that may not be distributed"],
    "docs/tutorial/first-measurement.md": ["needs root", *["sets up an environment and builds for minutes"] * 2],
}
"""Every block that is left out, with the reason on the page; `tune-the-host.md` has its own limit."""


READER_HAS = {
    "docs/how-to/gate-ci.md": ["base.json", "head.json", "base/1.json", "head/1.json"],
    "docs/how-to/gate-your-program.md": ["my_bench", "base.hlog", "head.hlog", "base/1.hlog", "head/1.hlog"],
    "docs/how-to/keep-reports.md": ["a.json", "b.json", "results/1.json", "results/2.json"],
    "docs/how-to/measure-your-engine.md": ["my_engine.py", "my_ring_engine"],
    "docs/how-to/rebuild-a-book.md": ["day.itch", "day_message.csv", "day_orderbook.csv"],
    "docs/how-to/replay-a-day.md": [
        "AAPL_2012-06-21_34200000_57600000_message_50.csv.xz",
        "day_message.csv",
        "day_orderbook.csv",
        "day.journal",
        "xnas-itch-20260105.mbo.dbn.zst",
        "days/20260105.dbn.zst",
        "live_orders.csv",
        "orders.csv",
    ],
    "docs/how-to/replay-on-a-cluster.md": ["days/XYZ_1_message_1.csv", "days/XYZ_2_message_1.csv"],
    "docs/how-to/write-a-profile.md": ["AAPL_message_50.csv.xz", "day.journal"],
    "docs/reference/column-mappings.md": ["orders.csv"],
    "docs/reference/commands/compare.md": ["base.json", "head.json"],
    "docs/reference/commands/replay.md": ["day.journal"],
    "docs/reference/engine-protocol.md": ["my_engine.py", "my_ring_engine"],
    "docs/reference/commands/report.md": ["results/1.json", "results/2.json"],
}
"""Recordings, reports, journals and engines that a page tells the reader to have."""
BASE = {"base.json", "base/1.json", "a.json", "results/1.json"}


def bench(folder: Path, *options: str) -> None:
    subprocess.run([LOWLAT, "bench", "--commands", "5k", *options], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Reports of two short benchmarks, made when they are first asked for: `base` and `head`."""

    @cache
    def made(side: str) -> bytes:
        folder = tmp_path_factory.mktemp(side)
        bench(folder, "--runs", "2", "-o", "report.json")
        return (folder / "report.json").read_bytes()

    return made


def give(name: str, folder: Path, saved: Callable[[str], bytes]) -> None:
    """Make one file that the reader has."""
    (folder / name).parent.mkdir(exist_ok=True)
    messages, book = recorded_day()
    if name.endswith(".journal"):
        bench(folder, "--runs", "1", "--journal", name)
    elif name.endswith(".json"):
        (folder / name).write_bytes(saved("base" if name in BASE else "head"))
    elif name == "my_bench":
        (folder / name).write_text("#!/bin/sh\nseq 1000 2000\n")
        (folder / name).chmod(0o755)
    elif name == "my_engine.py":
        shutil.copy(ROOT / "tests/foreign/simple_book.py", folder / name)
    elif name == "my_ring_engine":
        shutil.copy(libraries.ring_book(), folder / name)
    elif name.endswith(".hlog"):
        (folder / name).write_text(of_report(report_of(saved(name[:4]), name)))
    elif name.endswith(".itch"):
        (folder / name).write_bytes(b"".join(ItchDay(2_000, symbols=10, live=500).blocks()))
    elif name.endswith(".dbn.zst"):
        (folder / name).write_bytes(feed_files.dbn_day())
    elif name == "live_orders.csv":
        (folder / name).write_text(feed_files.bitstamp_day())
    elif name == "orders.csv":
        (folder / name).write_text(feed_files.table_day())
    elif name.endswith(".xz"):
        (folder / name).write_bytes(lzma.compress(messages.encode()))
    else:
        (folder / name).write_text(book if "orderbook" in name else messages)


def give_programs(folder: Path) -> None:
    """Builds to compare, and a program to run."""
    for side in ("base", "head", "old", "new"):
        (folder / side / "bin").mkdir(parents=True)
        (folder / side / "bin" / "lowlat").symlink_to(LOWLAT)
        (folder / side / "bin" / "parse").symlink_to("/bin/true")
    (folder / "engine").symlink_to("/bin/true")


def faults(followed: Followed) -> list[tuple[int, str]]:
    """The commands that failed, without those that gave an answer about this host."""
    return [(code, command) for code, command in followed.failed if not is_answer(code, command, followed.said)]


def is_answer(code: int, command: str, said: str) -> bool:
    """Whether an exit code is what the page says may come: a verdict, a rate that this host did not reach or could not
    measure, or a file of the kernel that this host does not have.
    """
    if re.match(r"\S*lowlat (?:ab|compare) ", command):
        return code in {1, 4}
    if command.startswith("lowlat bench --sweep ") and code == 4:
        return "not measurable here" in said
    if code == 3:
        return "its latencies are queueing time" in said
    files = re.findall(r"/(?:sys|proc)/[^\s|;]+", command)
    return command.startswith(("cat ", "grep ")) and bool(files) and not all(readable(file) for file in files)


def readable(pattern: str) -> bool:
    """Whether there are such files, and all of them can be read."""
    files = list(Path("/").glob(pattern.lstrip("/")))
    try:
        return all(file.read_bytes() is not None for file in files) and bool(files)
    except OSError:
        return False


def page_of(path: Path) -> object:
    return pytest.param(path, id=named(path), marks=[] if named(path) in QUICK else [pytest.mark.slow])


@pytest.mark.parametrize("page", [page_of(page) for page in RUN])
def test_a_page_works_as_written(page: Path, tmp_path: Path, saved: Callable[[str], bytes]) -> None:
    told = blocks_of(page.read_text(encoding="utf-8"))
    folder = tmp_path / "page"
    folder.mkdir()
    give_programs(folder)
    for name in READER_HAS.get(named(page), []):
        give(name, folder, saved)
    followed = follow(told, tmp_path)
    assert (followed.code, faults(followed)) == (0, []), followed.said
    assert followed.printed == "".join(blocks(page, "text", "Output"))
    if not any(block.language in SHELL for block in told):
        assert followed.said == ""


@pytest.mark.parametrize("page", [page for page in PYTHON if named(page) not in QUICK], ids=named)
def test_python_works_without_the_shell(page: Path, tmp_path: Path) -> None:
    """The quick part of a slow page."""
    followed = follow([Block("python", None, body, None) for body in blocks(page, "python")], tmp_path)
    assert (followed.code, followed.said, followed.printed) == (0, "", "".join(blocks(page, "text", "Output")))


PLANTED = {
    "an option that does not exist": ("sh", "lowlat calibrate --none\n", (2, "lowlat calibrate --none")),
    "a file that nobody has": ("sh", "lowlat report c.json\n", (2, "lowlat report c.json")),
    "a program that nobody has": ("console", "$ nothing-here\nits output\n", (127, "nothing-here")),
    "an empty answer": ("sh", "lowlat --version | grep nothing\n", (1, "grep nothing")),
    "a job in the background": ("sh", "lowlat nothing &\n", (2, 'wait "$job"')),
    "a file in /proc that can be read": ("sh", "grep nothing /proc/self/stat\n", (1, "grep nothing /proc/self/stat")),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_broken_command_is_found(planted: str, tmp_path: Path) -> None:
    language, body, fault = PLANTED[planted]
    assert faults(follow([Block(language, None, body, None)], tmp_path)) == [fault]


def test_a_block_that_bash_cannot_parse_is_found(tmp_path: Path) -> None:
    ((code, script),) = faults(follow([Block("sh", None, "if then\n", None)], tmp_path))
    assert code == 2 and "if then" in script


def test_broken_python_is_found(tmp_path: Path) -> None:
    followed = follow([Block("python", None, "import lowlat.nothing\n", None)], tmp_path)
    assert followed.code == 1 and "lowlat.nothing" in followed.said


def test_an_answer_is_told_from_a_failure() -> None:
    assert is_answer(1, "lowlat ab --a '' --b ''", "")
    assert not is_answer(2, "lowlat ab --none", "")
    assert not is_answer(70, "lowlat compare a.json b.json", "")
    assert not is_answer(3, "lowlat report a.json", "a.json is damaged")
    assert is_answer(1, "cat /sys/devices/no/such/file", "")
    assert not is_answer(1, "cat no-such-file", "")


def test_what_is_not_run_is_listed() -> None:
    left_out = {
        named(page): [block.not_run for block in blocks_of(page.read_text(encoding="utf-8")) if block.not_run]
        for page in PAGES
    }
    tuning = left_out.pop("docs/how-to/tune-the-host.md", [])
    assert set(tuning) <= {"needs root"}
    assert {page: reasons for page, reasons in left_out.items() if reasons} == NOT_RUN


def test_a_reason_stands_directly_above_its_block() -> None:
    """Anywhere else it would have no effect."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.count("<!-- not run:") == sum(block.not_run is not None for block in blocks_of(text)), named(page)


def test_quick_pages_exist() -> None:
    assert {named(page) for page in RUN} >= QUICK
    assert README in PAGES and ROOT / "docs/index.md" in PAGES
