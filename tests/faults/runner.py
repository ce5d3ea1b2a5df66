"""Runs commands whose calls fail, and looks at what they leave."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from tests.faults.commands import Command, prepare
from tests.faults.judge import Outcome
from tests.faults.plan import Fault, read_plan, write_plan
from tests.warm_start import Started, Zygote

HERE: Final = Path(__file__).parent
STUCK_S: Final = 120.0
"""A command whose processes use no CPU time for so long hangs: on a busy host, each gets some within seconds."""

PUBLISHING: Final = """
import sys
from lowlat.engine.shared_book import MappedBookWriter
with MappedBookWriter("LIVE"):
    sys.stdin.read()
"""


def environment(home: Path) -> dict[str, str]:
    """The environment of commands: temporary files in a folder of ours, no bytecode written, no settings but one:
    they measure beside one another.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOWLAT_")}
    kept |= {"LOWLAT_NO_LOCK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | {"TMPDIR": str(home / "tmp"), "XDG_RUNTIME_DIR": str(home / "run")}


def _build_shim(shim: Path, compiler: str) -> None:
    flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    subprocess.run([compiler, *flags, str(HERE / "failing_calls.cpp"), "-o", str(shim)], check=True)


def prepared(shared: Path, compiler: str) -> tuple[Path, Path]:
    """The folder with the files that commands read, and the shim, made once for all processes of this test run."""
    with (shared / "faults.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = shared / "faults"
        if not whole.exists():
            shutil.rmtree(shared / "faults.part", ignore_errors=True)
            prepare(shared / "faults.part")
            _build_shim(shared / "faults.part/failing_calls.so", compiler)
            (shared / "faults.part").rename(whole)
    return whole / "in", whole / "failing_calls.so"


class Runner:
    """Commands in forks of a zygote, one after another."""

    def __init__(self, home: Path, inputs: Path, shim: Path) -> None:
        self.home, self.inputs = home, inputs
        for name in ("tmp", "run"):
            (home / name).mkdir()
        self.sleeper = subprocess.Popen(
            [sys.executable, "-P", "-c", PUBLISHING], stdin=subprocess.PIPE, env=environment(home)
        )
        self.environment = environment(home) | {"LD_PRELOAD": str(shim)}
        self.zygote = Zygote(self.environment, HERE / "zygote.py")

    def close(self) -> None:
        """End the zygote and the sleeper."""
        self.zygote.close()
        self.sleeper.kill()
        self.sleeper.communicate()

    def run(self, command: Command, fault: Fault | None) -> Outcome:
        """Run a command in an empty folder, with one failure."""
        folder, plan = self.home / "work", self.home / "plan"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "in").symlink_to(self.inputs)
        write_plan(plan, fault)
        code = self._ended(command, folder, plan)
        files = {file.name: file for file in folder.iterdir() if file.name != "in"}
        left = sorted((self.home / "tmp").iterdir())
        temporary = tuple(f"{path.name}/" if path.is_dir() else path.name for path in left)
        for path in left:
            _remove(path)
        texts = [(self.home / f"work.{stream}").read_text(errors="replace") for stream in ("stdout", "stderr")]
        return Outcome(code, *texts, files, temporary, read_plan(plan))

    def _ended(self, command: Command, folder: Path, plan: Path) -> int:
        arguments = [str(self.sleeper.pid) if word == "SLEEPER" else word for word in command.arguments]
        with (
            Path(os.devnull).open("rb") as null,
            folder.with_suffix(".stdout").open("wb") as out,
            folder.with_suffix(".stderr").open("wb") as err,
        ):
            process = self.zygote.start(
                arguments,
                folder=folder,
                environment=self.environment,
                streams=[null.fileno(), out.fileno(), err.fileno()],
                plan=str(plan),
            )
        with _killed_if_stuck(process.pid):
            return _waited(process)


def _waited(process: Started) -> int:
    """Its exit code. Raises `TimeoutError` if the command's processes do nothing any more."""
    used, since = -1.0, time.monotonic()
    while True:
        with contextlib.suppress(TimeoutError):
            return process.wait(1.0)
        now = _cpu_s(process.pid)
        if now != used:
            used, since = now, time.monotonic()
        elif time.monotonic() - since > STUCK_S:
            raise TimeoutError("it hangs")


@contextlib.contextmanager
def _killed_if_stuck(process: int) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        with contextlib.suppress(psutil.Error):
            for each in [*psutil.Process(process).children(recursive=True), psutil.Process(process)]:
                each.kill()
        raise


def _cpu_s(process: int) -> float:
    """CPU time of a process and its descendants; of those that have ended only what was waited for."""
    total = 0.0
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(process)
        for each in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += sum(each.cpu_times()[:4])
    return total


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
