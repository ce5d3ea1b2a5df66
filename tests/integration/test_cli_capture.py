"""`lowlat capture`: a bundle of this host that `--root` reads back, and what is refused before anything is measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]


def test_a_bundle_of_this_host_is_read_back(lowlat: Run, tmp_path: Path) -> None:
    folder = tmp_path / "problem"
    done = lowlat("capture", folder, "--duration", "50ms", "--json")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.capture/1")).validate(document)
    assert document == json.loads((folder / "capture.json").read_text())
    assert [part["status"] for part in document["parts"]] == ["ok"] * 6
    assert document["with_identity"] is False
    topology = json.loads(lowlat("topology", "--root", folder, "--json").stdout)
    assert topology["packages"] == json.loads((folder / "topology.json").read_text())["packages"]
    examined = json.loads(lowlat("doctor", "--root", folder, "--json").stdout)
    assert examined["live"] is False
    assert json.loads((folder / "doctor.json").read_text())["live"] is True
    name = os.uname().nodename
    if len(name) >= 8:  # a shorter one may be a part of other words
        assert not [path for path in folder.rglob("*") if path.is_file() and name.encode() in path.read_bytes()]


def test_the_table_names_parts_and_how_to_read_them(lowlat: Run) -> None:
    done = lowlat("capture", "problem", "--duration", "10ms")
    for said in (
        "command line  ok      proc/cmdline",
        "jitter.json",
        "lowlat doctor --root problem",
        "look through it",
    ):
        assert said in done.stdout


def test_a_full_directory_is_refused_at_once(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    done = lowlat("capture", tmp_path, "--duration", "1h")
    assert done.returncode == ExitCode.USAGE
    assert "it is not empty; name a new directory" in done.stderr


def test_identity_without_a_snapshot_is_refused(lowlat: Run) -> None:
    done = lowlat("topology", "--with-identity")
    assert done.returncode == ExitCode.USAGE
    assert "--with-identity is for a snapshot; add --capture FILE.tar.xz" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_interrupted_it_leaves_nothing(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    running = start("capture", tmp_path / "problem", "--duration", "1h", "--no-lock")
    end = time.monotonic() + PATIENCE_S
    while not list(tmp_path.glob(".lowlat-*.tmp/calibration.json")) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(tmp_path.glob(".lowlat-*.tmp/calibration.json"))
    running.send_signal(number)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
