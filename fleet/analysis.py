"""Which hosts of a fleet differ from the rest, and in what. Pure: reports in, a document out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final

from lowlat import units
from lowlat.errors import NotValidError
from lowlat.fleet.differences import Marks, differences_of
from lowlat.fleet.figures import TIME_LOST, HostFigures, MetricKind, figures_of
from lowlat.fleet.gate import FleetRule, gate_of
from lowlat.fleet.host_facts import HARDWARE, KERNEL
from lowlat.fleet.robust import HOSTS_MIN, Scale, rank_p, scale_of
from lowlat.fleet.store import VERBS, KeptRun
from lowlat.reports.compare.compatibility import check_same_events
from lowlat.reports.compare.gate import THRESHOLD_PERCENT
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.model.fleet import (
    Z_LIMIT,
    Fleet,
    FleetGroup,
    FleetHost,
    FleetMetric,
    FleetValue,
    HostRecord,
    Outlier,
    Verdict,
)

CLOCK_S: Final = 1.0
"""Clocks that differ by more are worth a warning: reports carry their host's time."""


def fleet_of(
    runs: Sequence[KeptRun], rules: Sequence[FleetRule], command: Sequence[str], *, interrupted: bool = False
) -> Fleet:
    """The fleet that these runs show; at most one a verb and host. Raises `UsageError` for a rule without a metric."""
    by_host: dict[str, list[KeptRun]] = {}
    for run in sorted(runs, key=lambda each: (each.record.host, VERBS.index(each.record.run.verb))):
        by_host.setdefault(run.record.host, []).append(run)
    warnings, left_out = _other_plans(runs)
    figures = {name: figures_of([run for run in own if id(run) not in left_out]) for name, own in by_host.items()}
    facts = {name: _facts(own) for name, own in by_host.items()}
    groups = _groups(facts)
    metrics = tuple(_metrics(figures, {name: groups.get(_hardware(facts[name])) for name in by_host}))
    hosts = tuple(_hosts(by_host, figures, facts, groups, metrics))
    reasons = tuple(_reasons(hosts, figures, interrupted=interrupted))
    return Fleet(
        status="interrupted" if interrupted else "incomplete" if reasons else "ok",
        status_reasons=reasons,
        version=version("lowlat"),
        command=tuple(command),
        warnings=(*warnings, *_warnings(by_host, figures)),
        hosts=hosts,
        groups=tuple(
            FleetGroup(facts=dict(key), hosts=sum(host.group == index for host in hosts))
            for key, index in groups.items()
        ),
        metrics=metrics,
        gate=gate_of(metrics, rules),
    )


def _facts(runs: Iterable[KeptRun]) -> dict[str, str]:
    return {name: text for run in runs for name, text in run.record.facts.items()}


def _hardware(facts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, facts[name]) for name in (*HARDWARE, KERNEL) if name in facts)


def _groups(facts: Mapping[str, Mapping[str, str]]) -> dict[tuple[tuple[str, str], ...], int]:
    """The index of each group, the largest first. Hosts that told nothing are in none."""
    counted = Counter(key for each in facts.values() if (key := _hardware(each)))
    return {key: index for index, (key, _) in enumerate(counted.most_common())}


def _other_plans(runs: Sequence[KeptRun]) -> tuple[list[str], set[int]]:
    """Runs with other options than most of their verb: they did other work, and are left out."""
    warnings, left_out = [], set[int]()
    for verb in VERBS:
        own = [run for run in runs if run.record.run.verb == verb and run.report is not None]
        plans = Counter(run.record.run.options for run in own)
        if len(plans) > 1:
            usual = plans.most_common(1)[0][0]
            others = [run for run in own if run.record.run.options != usual]
            left_out |= {id(run) for run in others}
            warnings.append(
                f"{verb}: {units.counted(len(others), 'host')} ran with other options than '{' '.join(usual)}', and "
                f"are left out: {_some([run.record.host for run in others])}"
            )
    return warnings, left_out


def _metrics(figures: Mapping[str, HostFigures], group_of: Mapping[str, int | None]) -> Iterator[FleetMetric]:
    kinds = dict.fromkeys(kind for each in figures.values() for kind in each.values)
    for kind in sorted(kinds, key=lambda each: VERBS.index(each.verb)):
        runs = {name: values for name, each in figures.items() if (values := _values(each, kind))}
        yield _metric(kind, runs, group_of)


def _values(figures: HostFigures, kind: MetricKind) -> Sequence[float]:
    """The values of a host. Jitter that does not name a cause lost no time to it."""
    watched = any(each.name == TIME_LOST for each in figures.values)
    return figures.values.get(kind, (0.0,) if kind.explains and kind.verb == "jitter" and watched else ())


def _metric(kind: MetricKind, runs: Mapping[str, Sequence[float]], group_of: Mapping[str, int | None]) -> FleetMetric:
    values = {name: kind.of(own) for name, own in runs.items()}
    scale = scale_of([*values.values()], kind.unit)
    groups = {
        group: scale_of([values[name] for name in values if group_of[name] == group] or [0.0], kind.unit)
        for group in group_of.values()
    }
    sign = -1.0 if kind.higher_is_better else 1.0
    found = [_value(name, kind, runs, value, scale, groups[group_of[name]]) for name, value in values.items()]
    return FleetMetric(
        name=kind.name,
        verb=kind.verb,
        unit=kind.unit,
        higher_is_better=kind.higher_is_better,
        explains=kind.explains,
        median=scale.center,
        spread=scale.spread,
        scale=scale.kind,
        values=tuple(sorted(found, key=lambda each: (-sign * each.value, each.host))),
    )


def _value(
    name: str, kind: MetricKind, runs: Mapping[str, Sequence[float]], value: float, fleet: Scale, group: Scale
) -> FleetValue:
    """That of one host. Only where its z-score is far does the rank test matter, which takes the most time."""
    sign = -1.0 if kind.higher_is_better else 1.0
    z, group_z = (None if each is None else sign * each for each in (fleet.z(value), group.z(value)))
    scores = [each for each in (z, group_z) if each is not None]
    far = max(map(abs, scores), default=0.0) >= Z_LIMIT
    p = rank_p(name, runs, higher_is_better=kind.higher_is_better) if far else None
    ratio = value / fleet.center if fleet.center > 0 else None
    return FleetValue(
        host=name,
        value=value,
        runs=len(runs[name]),
        ratio=ratio,
        z=z,
        group_z=group_z,
        p=p,
        outlier=_outlier(scores, p, ratio),
    )


def _outlier(scores: Sequence[float], p: float | None, ratio: float | None) -> Outlier | None:
    """Whether a value stands out: by its z-score, not by chance, and by enough to matter."""
    farthest = max(scores, key=abs, default=0.0)
    by_chance = p is not None and p >= SIGNIFICANT
    small = ratio is not None and abs(ratio - 1) < THRESHOLD_PERCENT / 100
    if abs(farthest) < Z_LIMIT or by_chance or small:
        return None
    return "worse" if farthest > 0 else "better"


def _hosts(
    by_host: Mapping[str, Sequence[KeptRun]],
    figures: Mapping[str, HostFigures],
    facts: Mapping[str, dict[str, str]],
    groups: Mapping[tuple[tuple[str, str], ...], int],
    metrics: Sequence[FleetMetric],
) -> Iterator[FleetHost]:
    marks = Marks.of(metrics)
    findings = {name: each.findings for name, each in figures.items()}
    for name, runs in by_host.items():
        record: HostRecord = runs[-1].record
        verdict = _verdict(name, metrics, marks)
        apart = verdict in {"slower", "faster", "mixed"}
        yield FleetHost(
            name=name,
            boot_id=record.boot_id,
            group=groups.get(_hardware(facts[name])),
            verdict=verdict,
            clock_ahead_s=record.clock_ahead_s,
            facts=facts[name],
            runs=tuple(run.record.run for run in runs),
            differences=differences_of(name, facts, findings, metrics, marks) if apart else (),
        )


def _verdict(name: str, metrics: Sequence[FleetMetric], marks: Marks) -> Verdict:
    judged = [each for each in metrics if not each.explains and len(each.values) >= HOSTS_MIN]
    if all(marks.value(name, metric) is None for metric in judged):
        return "not judged"
    own = {marks.outlier(name, metric) for metric in judged} - {None}
    if own == {"worse", "better"}:
        return "mixed"
    return "like the others" if not own else "slower" if own == {"worse"} else "faster"


def _reasons(hosts: Sequence[FleetHost], figures: Mapping[str, HostFigures], *, interrupted: bool) -> Iterator[str]:
    if interrupted:
        yield "interrupted by Ctrl-C"
    for host in hosts:
        for run in host.runs:
            if run.outcome != "measured":
                yield f"{host.name}: {run.verb} {run.outcome}{f': {run.reason}' if run.reason else ''}"
        for problem in figures[host.name].problems:
            yield f"{host.name}: {problem}"


def _warnings(by_host: Mapping[str, Sequence[KeptRun]], figures: Mapping[str, HostFigures]) -> Iterator[str]:
    records = [runs[-1].record for runs in by_host.values()]
    boots: dict[str, list[str]] = {}
    for record in records:
        boots.setdefault(record.boot_id, []).append(record.host)
    for boot, names in boots.items():
        if boot and len(names) > 1:
            yield f"one kernel runs {_some(names)}: they share their CPUs, and may have measured each other"
    for record in records:
        if abs(record.clock_ahead_s) > CLOCK_S:
            side = "ahead of" if record.clock_ahead_s > 0 else "behind"
            far = f"{abs(record.clock_ahead_s):.1f} s"
            yield f"{record.host}: its clock is {far} {side} ours; times in its report are its own"
    try:
        check_same_events([report for each in figures.values() for report in each.reports])
    except NotValidError as error:
        yield str(error)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
