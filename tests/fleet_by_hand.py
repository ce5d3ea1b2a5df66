"""Runs of a fleet with made-up figures: real reports with every latency multiplied, jitter and doctor by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from lowlat import documents
from lowlat.fleet.store import KeptRun
from lowlat.reports.io.json_codec import from_bytes, to_text
from lowlat.reports.model.fleet import FleetRun, HostRecord
from lowlat.reports.model.report import Report
from tests import jitter_by_hand
from tests.scaled_reports import scaled, with_runs

_MEASURED = Path(__file__).parent / "unit/reports/io/two_runs.json"
RUNS = 4
SPREAD = Fraction(1, 100)
"""From one run of a host to the next."""
FACTS = {"processor": "Example 9", "CPUs": "8", "machine": "Example R1", "kernel": "6.12", "microcode": "0x2a"}
Options = tuple[str, ...]


@cache
def report_bytes(percent: int) -> bytes:
    """A report of four runs, with latencies of so many percent of those measured."""
    measured = from_bytes(_MEASURED.read_bytes())
    assert isinstance(measured, Report)
    factors = [Fraction(percent, 100) * (1 + run * SPREAD) for run in range(RUNS)]
    return to_text(with_runs(measured, [scaled(measured, factor).runs[0] for factor in factors])).encode()


@cache
def jitter_bytes(lost_to_a_thread_us: int) -> bytes:
    """Two CPUs with timer interrupts, and another thread that takes so many microseconds of a second of each."""
    ticks = jitter_by_hand.every(10_000_000, 3_000, 0)
    thread = [(5_000_000_0, lost_to_a_thread_us * 1_000, 1)] if lost_to_a_thread_us else []
    return documents.text(jitter_by_hand.watched([*ticks, *thread], [*ticks, *thread])).encode()


def doctor_bytes(findings: Mapping[str, str]) -> bytes:
    """An examination with these statuses by title."""
    found = [{"title": title, "status": status, "observed": "something"} for title, status in findings.items()]
    return json.dumps({"schema": "lowlat.doctor/1", "findings": found}).encode()


def kept(host: str, report: bytes | None, verb: str = "bench", *, options: Options = (), **changed: Any) -> KeptRun:
    """A run on a host."""
    facts = changed.pop("facts", FACTS)
    boot_id, clock_ahead_s = changed.pop("boot_id", host), changed.pop("clock_ahead_s", 0.0)
    run = {"outcome": "measured", "reason": None, "sha256": report and hashlib.sha256(report).hexdigest()} | changed
    return KeptRun(
        HostRecord(
            host=host,
            boot_id=boot_id,
            clock_ahead_s=clock_ahead_s,
            facts=facts,
            run=FleetRun(verb=verb, options=options, **run),
        ),
        report,
    )
