"""What a command may leave behind when a call fails: a result that is whole, or one line that says what is wrong."""

from __future__ import annotations

import json
import signal
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lowlat.engine.journal.verify import check_journal
from lowlat.errors import ExitCode
from lowlat.reports.histogram.hlog_reader import is_log
from tests.faults.commands import Command
from tests.faults.plan import Fault, Seen

NOTHING_SEEN: Final = Seen({}, 0, "")
_ENDS: Final = {ExitCode.OK, ExitCode.USAGE, ExitCode.NOT_VALID}
_STARTED_ENDS: Final = {ExitCode.COMMAND_REFUSED, ExitCode.COMMAND_MISSING}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: its output, the files in its folder, and what is left of temporary ones."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    temporary: tuple[str, ...] = ()
    seen: Seen = NOTHING_SEEN


def problems(command: Command, fault: Fault | None, outcome: Outcome) -> list[str]:
    """Everything that is wrong with an outcome, in words."""
    return [
        *_of_exit(command, outcome),
        *_of_stderr(fault, outcome),
        *_of_stdout(command, outcome),
        *_of_files(command, fault, outcome),
    ]


def _of_exit(command: Command, outcome: Outcome) -> Iterator[str]:
    ends = _ENDS | (_STARTED_ENDS if command.arguments[:2] == ("affinity", "run") else set[ExitCode]())
    if outcome.exit_code < 0:
        yield f"killed by {signal.Signals(-outcome.exit_code).name}"
    elif outcome.exit_code not in ends:
        yield f"exit code {outcome.exit_code}"
    if outcome.exit_code == ExitCode.USAGE and not outcome.seen.fired and outcome.seen.counts:
        yield "failed, though every call succeeded"


def _of_stderr(fault: Fault | None, outcome: Outcome) -> Iterator[str]:
    lines = outcome.stderr.splitlines()
    if foreign := [line for line in lines if not line.startswith("lowlat: ")]:
        yield f"not a line of lowlat: {foreign[0]!r}"
    if "internal error" in outcome.stderr:
        yield "called an internal error"
    told = [line for line in lines if line.startswith(("lowlat: error: ", "lowlat: invalid run: "))]
    # The call that failed was to write the line.
    silent = ".stderr" in outcome.seen.where or (fault is not None and fault.onward and fault.call == "write")
    if outcome.exit_code != ExitCode.OK and len(told) != 1 and not silent:
        yield f"{len(told)} lines say what is wrong"


def _of_stdout(command: Command, outcome: Outcome) -> Iterator[str]:
    cut = ".stdout" in outcome.seen.where  # what stdout took before it failed cannot be taken back
    if command.streams or cut or not outcome.stdout:
        if outcome.exit_code == ExitCode.OK and not outcome.stdout and command.prints:
            yield "ended well, but printed nothing"
        return
    if outcome.exit_code != ExitCode.OK and '"status": "invalid"' not in outcome.stdout and not outcome.files:
        yield "printed a result, though it failed"
    if "--json" in command.arguments and not _is_json(outcome.stdout):
        yield "printed half a document"


def _of_files(command: Command, fault: Fault | None, outcome: Outcome) -> Iterator[str]:
    left = {name: file.is_dir() for name, file in outcome.files.items() if name != command.writes}
    left |= {name: name.endswith("/") for name in outcome.temporary}
    if left and not all(_is_not_removable(name, is_folder, fault, outcome.seen) for name, is_folder in left.items()):
        yield f"left {', '.join(sorted(left))}"
    written = outcome.files.get(command.writes or "")
    if written is None:
        if command.writes is not None and outcome.exit_code == ExitCode.OK:
            yield f"ended well, but wrote no {command.writes}"
    elif not is_whole(written):
        yield f"wrote half of {command.writes}"


def _is_not_removable(name: str, is_folder: bool, fault: Fault | None, seen: Seen) -> bool:
    """Whether a call failed that removes a temporary folder: to list it, and to open it for that."""
    to_list = fault is not None and fault.call in {"open", "stat", "folder", "close", "control"}
    return fault is not None and to_list and is_folder and (fault.onward or name.rstrip("/") in seen.where)


def is_whole(file: Path) -> bool:
    """Whether a file is one that its reader takes."""
    try:
        match file.suffix:
            case ".json":
                return _is_json(file.read_text())
            case ".toml":
                return bool(tomllib.loads(file.read_text()))
            case ".html":
                return file.read_text().rstrip().endswith("</html>")
            case ".csv":  # of the day that `prepare` makes
                return len(file.read_text().splitlines()) == 201 and file.read_text().endswith("\n")
            case ".xz":
                return bool(tarfile.open(file).getmembers())
            case ".journal":
                return check_journal(file).problem is None
            case ".sh":
                return file.read_text().endswith("exit $status\n")
            case ".hlog":
                return is_log(data := file.read_bytes()) and data.endswith(b"\n")
        return file.is_dir()
    except Exception:  # noqa: BLE001 (whatever its reader thinks of it)
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
