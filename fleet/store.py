"""A directory of a fleet's reports: `VERB/HOST.json` as it was printed, and `VERB/hosts/HOST.json`, how it went."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from lowlat import documents, inputs
from lowlat.errors import InputError, OutputPathError
from lowlat.files import write_atomically
from lowlat.limits import HOST_RECORD_BYTES_MAX, REPORT_BYTES_MAX
from lowlat.reports.model.fleet import HostRecord
from lowlat.text import printable

VERBS: Final = ("bench", "doctor", "jitter", "calibrate")
_RECORDS: Final = "hosts"
_SUFFIX: Final = ".json"
_NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A verb on a host: how it went, and what it printed; None without a report."""

    record: HostRecord
    report: bytes | None


class FleetFolder:
    """The directory. Files in it are replaced one by one, each as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, verb: str) -> None:
        """Make the folders of a verb. Raises `OutputPathError`."""
        try:
            (self.path / verb / _RECORDS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputPathError(f"cannot write {self.path}: {error.strerror}; name another directory") from error

    @contextmanager
    def prepared(self, verb: str) -> Iterator[None]:
        """The same before a block, after which those that were made and are still empty are removed."""
        records = self.path / verb / _RECORDS
        made = [folder for folder in (records, *records.parents) if not folder.exists()]
        try:
            self.prepare(verb)
            yield
        finally:
            with suppress(OSError):  # one that has files: none above it is empty
                for folder in made:
                    folder.rmdir()

    def keep(self, kept: KeptRun) -> None:
        """Write a run. The report comes first: a record that names one never lacks it. Raises `OutputPathError`."""
        file = f"{file_name(kept.record.host)}{_SUFFIX}"
        verb = self.path / kept.record.run.verb
        if kept.report is not None:
            write_atomically(verb / file, kept.report)
        write_atomically(verb / _RECORDS / file, documents.text(kept.record))

    def read(self) -> list[KeptRun]:
        """All runs of all verbs. Raises `InputError` for a directory without any, or a file that is damaged."""
        found = self.read_all()
        if not found:
            raise InputError(f"{self.path} has no reports of a fleet; write some: lowlat fleet bench -o {self.path}")
        return found

    def read_all(self) -> list[KeptRun]:
        """The same of a directory that may have none."""
        return [kept for verb in VERBS for kept in self.read_verb(verb)]

    def read_verb(self, verb: str) -> Iterator[KeptRun]:
        """The runs of one verb, by name of the file; none if there are none. Raises `InputError`."""
        folder = self.path / verb / _RECORDS
        try:
            files = sorted(file for file in folder.iterdir() if file.name.endswith(_SUFFIX) and file.name[0] != ".")
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror}") from error
        for file in files:
            record = _record(file)
            _check_record(file, record, verb)
            yield KeptRun(record, self._report(record, file.name))

    def _report(self, record: HostRecord, name: str) -> bytes | None:
        if record.run.sha256 is None:
            return None
        file = self.path / record.run.verb / name
        data = inputs.read_bytes(file, REPORT_BYTES_MAX)
        if hashlib.sha256(data).hexdigest() != record.run.sha256:
            raise InputError(f"{file} is not the report that was kept: its SHA-256 is another; measure it with --again")
        return data


def file_name(host: str) -> str:
    """A host's name as that of a file: other characters than letters, digits, `.`, `_`, `-` and `#` as `%XX`. Different
    names give different files.
    """
    safe = "".join(c if re.fullmatch(r"[\w#-]", c, re.ASCII) else f"%{ord(c):02X}" if c != "." else c for c in host)
    safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
    if len(safe) <= _NAME_MAX:
        return safe or "%"
    return f"{safe[:_NAME_MAX]}%{hashlib.sha256(host.encode()).hexdigest()[:16]}"


def _check_record(file: Path, record: HostRecord, verb: str) -> None:
    """Raise `InputError` if a record contradicts itself, or is not in the place of its verb and host."""
    run = record.run
    if run.verb != verb:
        raise InputError(f"{file} is of {run.verb}, in the folder of {verb}; move it, or remove it")
    if file.name != f"{file_name(record.host)}{_SUFFIX}":
        raise InputError(f"{file} is of host {printable(record.host)}, whose file has another name; remove it")
    if (run.outcome == "measured") != (run.sha256 is not None):
        raise InputError(f"{file}: the outcome is {run.outcome}, and only a report that was measured has a SHA-256")


def _record(file: Path) -> HostRecord:
    try:
        return msgspec.json.decode(inputs.read_bytes(file, HOST_RECORD_BYTES_MAX), type=HostRecord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{file}: not a record of a fleet's host: {error}; remove it, and measure again") from error
