"""A report's figures hold together: changed one at a time, every leaf of real reports is contradicted by others on
reading, except those named here. A report proves no more than that: who edits all figures that belong together writes
a consistent one.
"""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import ExitCode, LowlatError, NotValidError
from lowlat.reports.histogram import hdr_codec
from lowlat.reports.io import validation
from lowlat.reports.io.json_codec import from_bytes
from lowlat.reports.io.validation import check
from lowlat.reports.model.sweep import Sweep
from tests.integration.conftest import clean_environment
from tests.leaves import Steps, accepted_leaves, beyond, pattern_of

Run = Callable[..., subprocess.CompletedProcess[str]]

RECORDED = """\
34200.1,1,11,50,5850100,-1
34200.2,1,12,70,5850100,-1
34200.3,1,13,30,5849900,1
34200.4,4,11,50,5850100,-1
34200.5,3,12,20,5850100,-1
"""
PRINTED = """for ns in 40 50 60 70; do echo '{"op": "add", "ns": '$ns'}'; echo '{"op": "cancel", "ns": 9'$ns'}'; done"""
SHORT = ("-n", "3k", "--runs", "2", "--json")
COMMANDS = {
    "bench": ("bench", *SHORT),
    "rate": ("bench", "--rate", "20k", "-n", "1k", "--runs", "2", "--json"),
    "pipeline": ("bench", "--pipeline", *SHORT),
    "sweep": ("bench", "--sweep", "10k:20k:2", "-n", "1k", "--runs", "1", "--json"),
    "replay": ("replay", "day.csv", "--format", "lobster", "--runs", "1", "--json"),
    "record": ("record", "--runs", "2", "--json", "--", "sh", "-c", PRINTED),
}

TEXTS = (
    "tool.*",
    "command*",
    "engine.*",
    "host.*",
    "clock.*",
    "topology.*",
    "placement.*",
    "not_available.*",
    "workload.profile",
    "workload.notes*",
    "budget.*.basis",
    "budget.*.parts.*.name",
    "budget.*.parts.*.basis",
    "load.arrivals",
    "load.missed*",
    "status_reasons*",
)
"""Names and words. `host.steal_percent` follows from the runs all the same."""
ALONE = (
    "workload.seed",  # only generating the flow again would tell
    "workload.hash",
    "workload.seeded",
    "workload.trades",
    "workload.*.mean",
    "workload.*.peak",
    "load.updates",
    "load.producers",
    "load.loop_ceiling",
    "runs.*.started",
    "runs.*.duration_s",
    "runs.*.series.*.min",  # within its bucket, if another operation's or run's is smaller
    "runs.*.series.*.max",
    "runs.*.os_noise.timer_interrupts",
    "runs.*.os_noise.largest_gap_ns",  # up to 1 ms, and above the longest service time
    "runs.*.cpu_ns",  # of a pipeline, or above wall_ns
    "runs.*.os_noise.off_cpu_ns",  # of a pipeline, or above those of the passes shown
    "runs.*.os_noise.wall_ns",  # above those of the passes shown
    "runs.*.counters*",  # a miss is only bounded by the instructions
    "runs.*.least_cpu_ns",  # below that of the pass shown
    "budget.*.parts.*",
    "budget.*.measured_ns",  # of a stage that a peer measured
    "recording.*",  # but whether a command was run
    "runs.*.waited_ns",  # at most what the thread was off its CPU
    "hot_path.allocations",
    "hot_path.memory*",
    "hot_path.huge_page_bytes",
    "hot_path.locked",
    "hot_path.numa_*",
    "hot_path.pool_growths",
    "hot_path.trades_recycled",
    "verification.digest",  # unless there is a golden one for all commands
    "verification.events",
    "verification.reference_stretches",
    "verification.golden.*",
    "verification.mismatches*",
    "baselines.loop_ns",
    "baselines.clock_ns",
    "baselines.reference_ns",
    "loop_ceiling",  # of a sweep, and the rest as well
    "seed",
    "objectives*",
    "objective_rule",
    "answer_rule",
)
"""Figures that nothing else in a report follows from, or that others only bound."""
WHEN_INVALID = (
    "load.acked",
    "load.rejected",
    "load.out_of_range",
    "hot_path.pool_refusals",
    "verification.equal",
)
"""Other reasons why a report is invalid: one that already is may have these too."""
DERIVED = (
    "host.steal_percent",
    "runs.*.throughput.wall_ns",
    "runs.*.throughput.ns_per_command",
    "runs.*.os_noise.noisy",
    "runs.*.os_noise.involuntary_switches",
    "runs.*.series.*",
    "summary.*",
    "budget_class.*",
    "load.achieved_rate",
    "status",
)
"""Some that must be contradicted, whatever the lists above say."""


@pytest.fixture(scope="module", autouse=True)
def quick_decoding() -> Iterator[None]:
    """Decode each histogram once, and take its figures once: only one leaf of hundreds is changed at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdr_codec, "decode", functools.cache(hdr_codec.decode))
        patch.setattr(validation, "figures_of", functools.cache(validation.figures_of))
        yield


@pytest.fixture
def environment() -> dict[str, str]:
    """With the measurement of the kernel's part of the latency budget."""
    return clean_environment(kernel_path=True)


def document_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode in {ExitCode.OK, ExitCode.NOT_VALID}, done.stderr  # a busy host misses rates
    return json.loads(done.stdout)


def is_accepted(document: Any) -> bool:
    try:
        read = from_bytes(json.dumps(document).encode())
        for each in read.points if isinstance(read, Sweep) else (read,):
            check(each)
    except LowlatError as error:
        assert str(error)
        return False
    return True


def of_the_first_point(path: Steps) -> bool:
    """Of the points of a sweep, each a report of its own, the first one counts."""
    return path[0] != "points" or path[1] == 0


def named(path: Steps) -> str:
    """A leaf of a sweep's point is named as in a report."""
    return pattern_of(path[2:] if path[0] == "points" and len(path) > 2 else path)


@pytest.mark.slow
@pytest.mark.parametrize("load", COMMANDS)
def test_every_leaf_that_others_tell_is_told_by_them(lowlat: Run, tmp_path: Path, load: str) -> None:
    (tmp_path / "day.csv").write_text(RECORDED)
    document = document_of(lowlat(*COMMANDS[load]))
    assert is_accepted(document)
    accepted, unnoticed = accepted_leaves(document, is_accepted, counts=of_the_first_point, named=named)
    whole = document["points"][0] if "points" in document else document
    assert beyond(accepted, (*TEXTS, *ALONE, *(WHEN_INVALID if whole["status"] == "invalid" else ()))) == set()
    assert unnoticed - beyond(unnoticed, DERIVED) == set()
    assert "tool.version" in accepted  # the list is not empty because nothing is ever accepted


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("runs",), [], "runs is empty"),
        (("status",), "invalid", "status is invalid, but status_reasons has 0"),
        (("verification", "equal"), False, "status is ok, but verification.equal is false"),
        (("runs", 0, "throughput", "ns_per_command"), 1.5, "runs[0].throughput.ns_per_command is 1.5, but commands"),
        (("runs", 1, "os_noise", "reasons"), ["bad luck"], "runs[1].os_noise.reasons is ('bad luck',), but"),
        (("summary", 0, "mean"), 1.5, "summary (add, service): mean is 1.5, but its histogram says"),
        (("summary", 0, "spread", "50", "min"), 0, "summary (add, service): spread (50).min is 0, but its histogram"),
        (("summary", 0, "bands", 0, "count"), 0, "summary (add, service): bands[0].count is 0, but its histogram says"),
        (("runs", 0, "series", 0, "stddev"), 0.5, "runs[0].series[0] (add, service): stddev is 0.5, but its histogram"),
        (("budget_class", "name"), "of no host", "budget_class is "),
        (("budget", 1, "measured_ns"), 5, "budget"),
        (("load", "sent"), 5, "load.sent is 5, but the runs have 6000"),
        (("host", "steal_percent"), 99.5, "host.steal_percent is 99.5, but the runs give"),
    ],
)
def test_a_contradiction_is_named_and_exits_with_3(
    once: Run, lowlat: Run, tmp_path: Path, path: Steps, value: object, line: str
) -> None:
    document = holder = document_of(once(*COMMANDS["bench"], kernel_path=True))
    for name in path[:-1]:
        holder = holder[name]
    if holder is None:
        pytest.skip(f"this host was too busy for a {path[0]}: the kernel path was not measured")
    # On a busy host, the class may be retail already.
    holder[path[-1]] = "mobile" if holder[path[-1]] == value == "retail" else value
    with pytest.raises(NotValidError):
        check(from_bytes(json.dumps(document).encode()))
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "b.json").write_text(json.dumps(document))
    for verb in ("report a.json", "compare a.json b.json"):
        done = lowlat(*verb.split())
        assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
        assert done.stderr.startswith(f"lowlat: error: a.json: {line}"), done.stderr
        assert done.stderr.count("\n") == 1
