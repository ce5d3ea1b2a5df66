"""Journals and their snapshots, whole files: the heads, and what native code reads behind them."""

from __future__ import annotations

import struct
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path
from unittest import mock

from lowlat.engine import _core
from lowlat.engine.journal import header, snapshot
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL, SNAPSHOT, SnapshotHead
from lowlat.engine.journal.names import segment_path
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.snapshot import restore_snapshot, snapshot_path
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.native import Engine
from lowlat.errors import FormatError, LowlatError
from tests.fuzz.parsers.target import Target, written
from tests.fuzz.rich_book import SETTINGS, rich_commands

_FIXED = struct.Struct("<8sIII")


@cache
def _files() -> tuple[bytes, bytes, bytes]:
    """A journal's two segments and its snapshot, the same in every process: otherwise no input that was found would be
    found again.
    """
    moment = mock.Mock(now=lambda zone: datetime(2026, 1, 1, tzinfo=zone))
    with (
        mock.patch.object(header.secrets, "token_hex", return_value="5eed" * 8),
        mock.patch.object(header, "datetime", moment),
        tempfile.TemporaryDirectory() as name,
    ):
        path = Path(name) / "day.journal"
        with JournaledEngine.journaling(path, SETTINGS, sync=SyncPolicy.NONE) as engine:
            engine.process(rich_commands()[:40])
            earlier = engine.rotate()
            engine.process(rich_commands()[40:60])
            engine.snapshot()
            engine.process(rich_commands()[60:])
        return earlier.read_bytes(), path.read_bytes(), snapshot_path(path).read_bytes()


def _written(folder: Path, earlier: bytes, last: bytes) -> Path:
    """A journal of two segments."""
    path = written(folder, "day.journal", last)
    written(folder, segment_path(path, 1).name, earlier)
    return path


def _mended(data: bytes, kind: bytes) -> bytearray:
    """With the right checksum of its head, where the head has a length."""
    file = bytearray(data)
    if len(file) < _FIXED.size:
        return file
    _, version, size, _ = _FIXED.unpack_from(file)
    if size <= len(file):
        file[: _FIXED.size] = _FIXED.pack(kind, version, size, 0)
        file[16:20] = struct.pack("<I", _core.crc32c(bytes(file[:size])))
    return file


# -- journal ---------------------------------------------------------------------------------------------------------


def _read_journal(data: bytes, folder: Path) -> None:
    """The first byte: bit 0: the sum of the head is as it is in what follows, else made right. Bit 1: what follows is
    the segment before the last, else the last.
    """
    how = data[0] if data else 0
    segment = data[1:] if how & 1 else bytes(_mended(data[1:], JOURNAL))
    earlier, last, _ = _files()
    path = _written(folder, segment, last) if how & 2 else _written(folder, earlier, segment)
    check = check_journal(path)
    assert check.whole.end.end <= check.size, "reading ends in the file"


def _plant_head() -> None:
    """A reader that lets the errors of its library through."""
    mock.patch.object(header.msgspec, "MsgspecError", KeyError).start()


JOURNAL_FILE = Target(
    "journal",
    _read_journal,
    lambda: [bytes([how]) + _files()[how < 2] for how in range(4)],
    _plant_head,
    (
        "engine/journal/header.py",
        "engine/journal/file.py",
        "engine/journal/segment.py",
        "engine/journal/verify.py",
        "engine/matching/config_codec.py",
    ),
    (LowlatError, MemoryError),
)

# -- snapshot --------------------------------------------------------------------------------------------------------


def _with_right_sums(data: bytes) -> bytes:
    """Of the head, and of the state in the head."""
    file = _mended(data, SNAPSHOT)
    try:
        said, start, _ = header.read_head(memoryview(bytes(file)), SNAPSHOT, SnapshotHead.from_json, "")
    except (LowlatError, UnicodeDecodeError):
        return bytes(file)
    state = bytes(file[start:])
    fields = {name: getattr(said, name) for name in said.__struct_fields__}
    fields |= {"state_bytes": len(state), "state_checksum": _core.crc32c(state)}
    return header.pack_head(SNAPSHOT, SnapshotHead(**fields).to_json())[0] + state


def _read_snapshot(data: bytes, folder: Path) -> None:
    """The first byte: 0: all sums are made right."""
    path = _written(folder, *_files()[:2])
    written(folder, snapshot_path(path).name, _with_right_sums(data[1:]) if data[:1] == b"\0" else data[1:])
    with JournalFile(path) as file:
        engine = Engine.of(file.settings)
        place = restore_snapshot(file, engine)
        engine.check_invariants()
        assert place is not None and place.end <= file.size, "it was taken in the journal"


def _plant_snapshot() -> None:
    """A binding that does not translate its error."""
    restore = _core.restore_state

    def untranslated(*words: object) -> None:
        try:
            restore(*words)  # type: ignore[arg-type]
        except FormatError as error:
            raise RuntimeError(str(error)) from error

    mock.patch.object(snapshot._core, "restore_state", untranslated).start()


SNAPSHOT_FILE = Target(
    "snapshot",
    _read_snapshot,
    lambda: [b"\0" + _files()[2], b"\1" + _files()[2]],
    _plant_snapshot,
    ("engine/journal/snapshot.py", "engine/journal/header.py"),
)
