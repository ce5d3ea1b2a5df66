"""A directory of a fleet gives back what was kept, and refuses what was damaged."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import InputError, OutputPathError
from lowlat.fleet.store import FleetFolder, file_name
from tests.fleet_by_hand import kept
from tests.leaves import accepted_leaves, beyond


def test_runs_come_back_as_they_were(tmp_path: Path) -> None:
    folder = FleetFolder(tmp_path / "fleet")
    runs = [kept("a", b'{"schema": 1}'), kept("b", None, outcome="busy", reason="x"), kept("a", b"{}", "doctor")]
    for run in runs:
        folder.prepare(run.record.run.verb)
        folder.keep(run)
    assert folder.read() == runs
    assert (tmp_path / "fleet/bench/a.json").read_bytes() == b'{"schema": 1}'
    folder.keep(kept("b", b"{}"))
    assert [run.report for run in folder.read_verb("bench")] == [b'{"schema": 1}', b"{}"]


@pytest.mark.parametrize(
    ("host", "file"),
    [
        ("node-1.rack#2", "node-1.rack#2"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("", "%"),
        ("a\n\x00b", "a%0A%00b"),
        ("\N{SNOWMAN}", "%2603"),
    ],
)
def test_names_of_files_stay_in_the_folder(host: str, file: str) -> None:
    assert file_name(host) == file


def test_folders_in_which_nothing_was_kept_are_removed(tmp_path: Path) -> None:
    folder = FleetFolder(tmp_path / "new" / "fleet")
    with suppress(KeyboardInterrupt), folder.prepared("bench"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    folder.prepare("doctor")
    with folder.prepared("doctor"), folder.prepared("bench"):
        (folder.path / "bench" / "hosts" / "a.json").touch()
    assert sorted(each.name for each in folder.path.rglob("*")) == ["a.json", "bench", "doctor", "hosts", "hosts"]


def test_names_of_files_are_short_and_differ() -> None:
    names = [file_name("\N{SNOWMAN}" * 300 + end) for end in ("", "a")]
    assert names[0] != names[1]
    assert max(map(len, names)) < 240


def damaged(tmp_path: Path) -> FleetFolder:
    folder = FleetFolder(tmp_path)
    folder.prepare("bench")
    folder.keep(kept("a", b'{"schema": 1}'))
    return folder


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("bench/a.json", b'{"schema": 2}', "SHA-256"),
        ("bench/hosts/a.json", b"{", "not a record"),
        ("bench/hosts/a.json", b"\xff", "not a record"),
        ("bench/hosts/a.json", b"[" * 100_000, "not a record"),
        ("bench/hosts/a.json", b"x" * (2 << 20), "larger than 1 MiB"),
    ],
)
def test_damage_is_refused_by_name(tmp_path: Path, file: str, content: bytes, problem: str) -> None:
    folder = damaged(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        folder.read()
    assert file in str(caught.value)


def test_a_missing_report_and_a_wrong_verb_are_refused(tmp_path: Path) -> None:
    folder = damaged(tmp_path)
    folder.prepare("doctor")
    (tmp_path / "doctor/hosts/a.json").write_bytes((tmp_path / "bench/hosts/a.json").read_bytes())
    with pytest.raises(InputError, match="is of bench, in the folder of doctor"):
        folder.read()
    (tmp_path / "bench/a.json").unlink()
    with pytest.raises(InputError, match="no such file"):
        folder.read()


ALONE = (
    "boot_id",
    "clock_ahead_s",
    "facts.*",
    "run.options",
    "run.reason",
    "run.exit_code",
    "run.started",
    "run.elapsed_s",
)
"""What nothing else in a host's record contradicts."""


def test_every_leaf_of_a_record_that_others_tell_is_told_by_them(tmp_path: Path) -> None:
    folder = damaged(tmp_path)
    file = tmp_path / "bench/hosts/a.json"

    def is_accepted(document: Any) -> bool:
        file.write_text(json.dumps(document))
        try:
            folder.read()
        except InputError:
            return False
        return True

    document = json.loads(file.read_text())
    assert is_accepted(document)
    accepted, unnoticed = accepted_leaves(document, is_accepted)
    assert beyond(accepted, ALONE) == set()
    assert "boot_id" in unnoticed


def test_a_directory_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no reports of a fleet"):
        FleetFolder(tmp_path).read()
    (tmp_path / "file").touch()
    with pytest.raises(OutputPathError, match="name another directory"):
        FleetFolder(tmp_path / "file").prepare("bench")
    with pytest.raises(InputError, match="Not a directory"):
        FleetFolder(tmp_path / "file").read()
