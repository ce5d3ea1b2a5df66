"""What partitions gave is added up to the same result in whatever order they end."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import permutations

import numpy as np

from lowlat.documents import text
from lowlat.fleet.partition_job import PartitionAnswer, ReplayPlan
from lowlat.fleet.replayed import ReplaysSoFar
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.replays import FailedPartition, PartitionResult, PartitionRun, Replays
from lowlat.reports.model.series import histogram_of, series_of


def answer(number: int, *latencies_ns: int) -> PartitionAnswer:
    result = PartitionResult(
        number=number,
        file=f"day{number}.csv",
        file_bytes=1,
        file_sha256=f"{number}" * 64,
        format="lobster",
        symbols=("A", "B"),
        digest=f"sha256:{number}",
        counts={"events": number, f"only {number}": 1},
        fills={"1": 2, str(number): 1},
        differences=(),
    )
    run = PartitionRun(
        number=number,
        host="host",
        cpu=0,
        attempts=1,
        wall_s=1.0,
        memory_max_bytes=1,
        p50_ns=1,
        p99_ns=2,
        status_reasons=(),
    )
    counts = np.bincount(latencies_ns).astype(np.uint64)  # below 2,048 ns each value has its own bucket
    histogram = Histogram.from_counts(counts, min(latencies_ns), max(latencies_ns))
    return PartitionAnswer(result, run, (series_of("all", "service", histogram),))


ANSWERS = answer(1, 10, 20), answer(2, 20), answer(3, 5, 700)


def replayed(*answers: PartitionAnswer, interrupted: bool = False, failed: FailedPartition | None = None) -> Replays:
    so_far = ReplaysSoFar(ReplayPlan(), "file", ())
    for each in answers:
        so_far.add(each, each.run)
    so_far.failed += [failed] * (failed is not None)
    return so_far.document(3, 2, 100, interrupted=interrupted)


def test_the_order_in_which_they_end_makes_no_difference() -> None:
    results = {text(replayed(*order).result) for order in permutations(ANSWERS)}
    assert len(results) == 1


def test_counts_are_added_by_name_and_histograms_by_value() -> None:
    found = replayed(*ANSWERS)
    assert found.result.counts == {"events": 6, "only 1": 1, "only 2": 1, "only 3": 1}
    assert found.result.fills == {"1": 5, "2": 1, "3": 1}
    (series,) = found.measured.series
    assert np.flatnonzero(histogram_of(series).counts).tolist() == [5, 10, 20, 700]
    assert (series.count, series.min, series.max) == (5, 5, 700)


def test_the_digest_is_that_of_a_line_for_each_partition() -> None:
    lines = "".join(f"{str(number) * 64} A,B sha256:{number}\n" for number in (1, 2, 3))
    assert replayed(*ANSWERS).result.digest == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def test_without_all_partitions_there_is_no_digest() -> None:
    found = replayed(*ANSWERS[:2], interrupted=True)
    assert (found.status, found.result.digest) == ("interrupted", None)
    assert found.status_reasons == ("stopped after 2 of 3 partitions",)


def test_one_that_failed_is_named() -> None:
    failed = FailedPartition(file="day3.csv", symbols=("A",), attempts=3, error="it was lost")
    found = replayed(*ANSWERS[:2], failed=failed)
    assert (found.status, found.status_reasons) == ("invalid", ("day3.csv A: it was lost",))
    assert found.result.digest is None and found.failed == (failed,)


def test_figures_that_are_not_to_be_trusted_are_named_with_their_partition() -> None:
    so_far = ReplaysSoFar(ReplayPlan(), "file", ())
    for each in ANSWERS:
        so_far.add(each, replace(each.run, status_reasons=("a clock",) * (each.run.number == 2)))
    found = so_far.document(3, 1, 100, interrupted=False)
    assert (found.status, found.status_reasons) == ("invalid", ("day2.csv A B: a clock",))
    assert found.result == replayed(*ANSWERS).result
