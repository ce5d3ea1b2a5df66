"""A file that another worker has under the same path is noticed before it is replayed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from lowlat.errors import InputError
from lowlat.fleet.identity import FileIdentity, check_identity, identity_of, identity_of_library, unchanged


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
    with pytest.raises(InputError, match=r"day\.csv: here it is another file: sha256:\w+\.\.\., not sha256:"):
        check_identity(expected)


def test_sparse_files_are_told_by_their_size(tmp_path: Path) -> None:
    """None of their zeros is read, which would take an hour."""
    file = tmp_path / "engine.so"
    file.write_bytes(b"engine")
    expected = identity_of_library(file)
    assert expected == identity_of(file)
    os.truncate(file, 1 << 40)
    with pytest.raises(InputError, match=r"engine\.so: it has 1,024 GiB; a library has at most 1\.00 GiB"):
        identity_of_library(file)
    with pytest.raises(InputError, match=r"here it is another file: 1,099,511,627,776 bytes, not 6 bytes; all workers"):
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
