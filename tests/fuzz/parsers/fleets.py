"""What describes a fleet: a list of its hosts, and the directory of their reports."""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from lowlat import documents
from lowlat.fleet import place, store
from lowlat.fleet.analysis import fleet_of
from lowlat.fleet.place import read_hosts
from lowlat.fleet.store import VERBS, FleetFolder, KeptRun, file_name
from lowlat.reports.model.fleet import Fleet
from tests.fleet_by_hand import doctor_bytes, jitter_bytes, kept
from tests.fuzz.parsers.reports import report_bytes
from tests.fuzz.parsers.target import Target, written

# -- hosts -----------------------------------------------------------------------------------------------------------


def _read_hosts(data: bytes, folder: Path) -> None:
    hosts = read_hosts(written(folder, "hosts", data))
    assert read_hosts(written(folder, "hosts", "\n".join(hosts).encode())) == hosts, "the names alone are the same list"


def _plant_hosts() -> None:
    """A reader whose own errors are not typed."""
    mock.patch.object(place, "InputError", lambda *words: ValueError(words)).start()


HOSTS = Target(
    "hosts",
    _read_hosts,
    lambda: [b"# the rack\nnode-1\nroot@node-2.rack  # spare\n\n10.0.0.7\r\nfe80::1%eth0\n"],
    _plant_hosts,
    ("fleet/place.py",),
)

# -- directory -------------------------------------------------------------------------------------------------------


def _read_fleet(data: bytes, folder: Path) -> None:
    """Up to a NUL, the record of a host, then its report. The first byte: even: the checksum is made right."""
    record, _, report = data[1:].partition(b"\0")
    host, told = _host_and_run_of(record)
    verb = told["verb"] if told.get("verb") in VERBS else "bench"
    if told and not data[0] % 2 and told.get("sha256") is not None:
        record = record.replace(str(told["sha256"]).encode(), hashlib.sha256(report).hexdigest().encode())
    runs = _directory(folder / "fleet", verb, file_name(host), record, report).read()
    copy = FleetFolder(_emptied(folder / "copy"))
    copy.prepare(verb)
    for run in runs:
        copy.keep(run)
    assert copy.read() == runs, "what was kept comes back"
    fleet = fleet_of([*runs, *_others()], (), ("lowlat", "fleet"))
    assert msgspec.json.decode(documents.text(fleet), type=Fleet) == fleet, "the document reads back"


def _directory(path: Path, verb: str, name: str, record: bytes, report: bytes) -> FleetFolder:
    """With the one run that these are of."""
    directory = FleetFolder(_emptied(path))
    directory.prepare(verb)
    written(path / verb, f"{name}.json", report)
    written(path / verb / "hosts", f"{name}.json", record)
    return directory


def _emptied(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    return path


def _host_and_run_of(record: bytes) -> tuple[str, dict[str, Any]]:
    try:
        found = msgspec.json.decode(record)
        host, run = found["host"], found["run"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
        return "", {}
    return host if isinstance(host, str) else "", run if isinstance(run, dict) else {}


@cache
def _others() -> tuple[KeptRun, ...]:
    """As many others as a host is compared with."""
    statuses = ({"turbo": "pass"}, {"turbo": "fail"}, {"turbo": "pass"})
    doctors = [kept(f"node-{at}", doctor_bytes(found), "doctor") for at, found in enumerate(statuses)]
    return (*doctors, *(kept(f"node-{at}", jitter_bytes(at), "jitter") for at in range(3)))


def _calibration_bytes() -> bytes:
    return msgspec.json.encode({"uncertainty_ppm": 0.3, "costs": {"plain_ns": 7.0, "vdso_ns": 20.5}})


def _fleet_seeds() -> list[bytes]:
    runs = [
        kept("a", report_bytes()),
        kept("b", doctor_bytes({"turbo": "fail", "governor": "pass"}), "doctor"),
        kept("c", _dense(jitter_bytes(40)), "jitter"),
        kept("d", _calibration_bytes(), "calibrate"),
        kept("e", None, outcome="busy", reason="x"),
    ]
    return [b"\0" + msgspec.json.encode(run.record) + b"\0" + (run.report or b"") for run in runs]


def _dense(document: bytes) -> bytes:
    """Without spaces, which no change would matter in."""
    return msgspec.json.format(document, indent=-1)


def _plant_fleet() -> None:
    """A reader whose own errors are not typed."""
    mock.patch.object(store, "InputError", lambda *words: ValueError(words)).start()


FLEET = Target(
    "fleet",
    _read_fleet,
    _fleet_seeds,
    _plant_fleet,
    ("fleet/store.py", "fleet/figures.py", "fleet/analysis.py"),
)
