"""A file that another worker has under the same path is noticed before it is replayed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lowlat.errors import InputError
from lowlat.fleet.identity import FileIdentity, check_identity, identity_of, unchanged


def test_size_and_hash(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes(b"day")
    assert identity_of(file) == FileIdentity(str(file), 3, hashlib.sha256(b"day").hexdigest())
    check_identity(identity_of(file))


def test_another_file_of_the_same_size(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes(b"day")
    expected = identity_of(file)
    file.write_bytes(b"die")
    with pytest.raises(InputError, match=r"day\.csv: here it is another file: 3 bytes, sha256:"):
        check_identity(expected)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"day\.csv: no such file"):
        check_identity(FileIdentity(str(tmp_path / "day.csv"), 3, "0" * 64))


def test_a_file_that_is_written_to_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes(b"day")
    with unchanged(identity_of(file)):
        pass
    with pytest.raises(InputError, match=r"day\.csv: it changed while it was replayed"), unchanged(identity_of(file)):
        file.write_bytes(b"a longer day")
