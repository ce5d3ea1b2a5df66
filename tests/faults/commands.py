"""Every verb, as small as it gets, and the files that they read."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowlat.fleet.store import FleetFolder
from tests.fleet_by_hand import kept, report_bytes
from tests.foreign.libraries import simple_book_in_c
from tests.recorded_day import recorded_day
from tests.warm_start import Zygote

LOWLAT: Final = str(Path(sys.executable).with_name("lowlat"))

_RUN = ("-n", "300", "--runs", "1")
_FLOW = (*_RUN, "--no-kernel-path")
"""The kernel path is measured by the first command that measures; by each, it would take as long as all the rest."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, the file that it writes, whether stdout has the result piece by piece, and whether it takes
    seconds of CPU time.
    """

    arguments: tuple[str, ...]
    writes: str | None = None
    streams: bool = False
    costly: bool = False

    @property
    def name(self) -> str:
        """For the id of a test."""
        return " ".join(self.arguments)

    @property
    def prints(self) -> bool:
        """Whether stdout has a result, and not only a file."""
        return self.arguments[:2] != ("affinity", "run") and self.writes != "mine.toml"


def _command(line: str, writes: str | None = None, *, streams: bool = False, costly: bool = False) -> Command:
    return Command(tuple(line.split()), writes, streams, costly)


INSPECTING: Final = (
    _command("topology --json", costly=True),
    _command("topology --capture host.tar.xz", "host.tar.xz"),
    _command("topology --root in/host.tar.xz"),
    _command("topology --measure", costly=True),
    _command("doctor --only memory,rights,frequency-governor --json"),
    _command("doctor --root in/host.tar.xz"),
    _command("doctor --only transparent-huge-pages --fix-script tune.sh", "tune.sh"),
    _command("calibrate --duration 10ms --json"),
    _command("jitter --duration 10ms --json"),
    Command(("capture", "problem", "--duration", "10ms", "--json"), "problem", costly=True),
    _command("doctor --root in/problem"),
    _command("memory --limit 1MiB --duration 100ms --json", costly=True),
    _command("cores --json"),
    _command("affinity show"),
    _command("affinity set SLEEPER all"),
    _command("affinity plan --json"),
    _command("affinity run --cpus all -- true"),
    _command("journal verify in/day.journal --json"),
    _command("journal dump in/day.journal -o dump.json", "dump.json", streams=True),
    _command("journal dump in/day.journal --limit 50", streams=True),
    _command("init-engine mine", "mine"),
    _command("init-engine --header"),
    _command("help bench"),
    _command("completion zsh"),
    _command("convert in/day.csv events.csv", "events.csv"),
    _command("replay in/day.csv --by file --mode rebuild --json"),
    _command("convert in/day.journal again.journal", "again.journal"),
    _command("profile list"),
    _command("profile show steady -o mine.toml", "mine.toml"),
    _command("profile fit in/day.journal -o mine.toml", "mine.toml"),
    _command("profile check steady in/day.journal --json"),
    _command("report in/base.json in/head.json -o both.json", "both.json"),
    _command("report in/a.json --to md"),
    _command("report in/a.json -o a.html", "a.html"),
    _command("report in/run.hlog --to csv"),
    _command("report --history in"),
    _command("fleet report in/fleet --json"),
    _command("compare in/base.json -- in/head.json --json"),
    _command("record in/latencies.txt --json"),
    _command("record in/run.hlog -o report.json", "report.json"),
    _command("book --dir in/books"),
    _command("book LIVE --json"),
)
"""These start no processes. SLEEPER stands for the id of one that waits; it publishes the book LIVE."""
MEASURING: Final = (
    Command(("bench", *_RUN, "-o", "report.json"), "report.json"),
    Command(("bench", *_FLOW, "--journal", "new.journal", "--json"), "new.journal"),
    Command(("bench", *_FLOW, "--rate", "1k", "--log", "run.hlog", "--json"), "run.hlog", costly=True),
    Command(("bench", *_FLOW, "--pipeline", "--dir", "books", "--json"), "books", costly=True),
    Command(("bench", *_FLOW, "--engine", "reference", "--json"), costly=True),
    Command(("bench", *_FLOW, "-p", "steady", "--engine", "in/engine.so", "--json"), costly=True),
    Command(("verify", "--engine", "in/engine.so", "--worlds", "2", "-n", "100", "--json")),
    Command(("league", "native", *_RUN, "-p", "futures", "-o", "league.json"), "league.json", costly=True),
    Command(("ablate", "--only", "counter", "--quick", "--json"), costly=True),
    Command(("bench", *_FLOW, "--runs", "2", "--sweep", "10k:20k:2", "--objective", "p90=1s", "--json"), costly=True),
    Command(("replay", "in/day.journal", "--runs", "1", "--no-kernel-path", "-o", "report.json"), "report.json"),
    Command(("record", "--runs", "1", "--json", "--", "seq", "100")),
    Command(("ab", "--a=-n300", "--b=-n300", "--runs", "2", "-o", "ab.json"), "ab.json", costly=True),
    Command(("ab", "--metric", "wall", "--runs", "2", "--json", "--", "true", "--", "true")),
)
"""These start processes, which the faults reach too."""


def prepare(folder: Path) -> None:
    """Make the files that the commands read, in `in/`."""
    made = folder / "in"
    (made / "books").mkdir(parents=True)
    shutil.copy(simple_book_in_c(), made / "engine.so")
    (made / "day.csv").write_text(recorded_day(200)[0])
    (made / "latencies.txt").write_text("".join(f"{value}\n" for value in range(100)))
    fleet = FleetFolder(made / "fleet")
    fleet.prepare("bench")
    for host in ("a", "b", "c"):
        fleet.keep(kept(host, report_bytes(100)))
    with contextlib.closing(Zygote(os.environ)) as zygote:
        _measure(zygote, made)
    # The same figures, an hour later: nothing can have become slower.
    text = (made / "base.json").read_text()
    (made / "head.json").write_text(
        re.sub(r"(?<=T)\d\d(?=:\d\d:\d\d\.\d)", lambda hour: f"{int(hour[0]) ^ 1:02}", text)
    )


def _measure(zygote: Zygote, folder: Path) -> None:
    for line in (
        (*("bench", *_FLOW, "-n", "2000", "-p", "steady"), *("--journal", "day.journal", "-o", "a.json")),
        ("bench", *_FLOW, "--runs", "4", "-o", "base.json"),
        ("bench", *_FLOW, "--pipeline", "--dir", "books", "--log", "run.hlog"),
        ("topology", "--capture", "host.tar.xz"),
        ("capture", "problem", "--duration", "10ms"),
    ):
        done = zygote.run(line, folder=folder, environment=os.environ)
        assert done.returncode == 0, done.stderr
