"""A verb once on each host of a cluster: results as they come, hosts that give none by name, and what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import msgspec

from lowlat.fleet.cluster import ConnectedCluster
from lowlat.fleet.host_task import HostTask, run_on_host
from lowlat.fleet.store import KeptRun
from lowlat.fleet.task import TaskOutcome, in_words
from lowlat.fleet.worker_facts import RefusedWorker, WorkerFacts, WorkerHost
from lowlat.limits import REPORT_BYTES_MAX
from lowlat.reports.model.fleet import FleetRun, HostOutcome, HostRecord
from lowlat.text import cut, printable

GRACE_S: Final = 30.0
"""How long a worker may take longer than the time limit: to end what runs there, and to answer."""
REASON_CHARS_MAX: Final = 500
FACTS_MAX: Final = 100

Tell: TypeAlias = Callable[[KeptRun, int, int], None]
"""Takes a run, and how many of how many hosts have ended."""


@dataclass(slots=True)
class FleetRuns:
    """The runs so far, and whether Ctrl-C ended them. `late`: hosts that joined meanwhile and were not measured."""

    runs: list[KeptRun]
    interrupted: bool = False
    late: tuple[str, ...] = ()


def measure_hosts(
    cluster: ConnectedCluster,
    task: HostTask,
    kept: Mapping[str, KeptRun],
    keep: Callable[[KeptRun], None],
    tell: Tell,
    waiting: Callable[[], None] = lambda: None,
) -> FleetRuns:
    """Run the task on each host that has no report yet. `kept`: runs from before, by host.

    `keep` takes each run that ended by itself, `tell` every one. Ctrl-C (`KeyboardInterrupt`) ends what runs on the
    hosts; the runs so far are returned.
    """
    present, unmeasured = cluster.hosts, cluster.refused  # those that join from now on are not measured
    done = [again for host in present if (again := _same(kept.get(host.name), task))]
    names = {run.record.host for run in done}
    found = FleetRuns([*done, *_refused(unmeasured, task)])
    hosts = [host for host in present if host.name not in names]
    limit_s = task.wait_s + task.time_limit_s + GRACE_S
    tasks = {cluster.submit(run_on_host, task, host=host, key=host.name, timeout_s=limit_s): host for host in hosts}
    open_tasks = dict(tasks)
    try:
        for outcome in cluster.finished(tasks, waiting):
            run = _run_of(open_tasks.pop(outcome.task), task, outcome)
            found.runs.append(run)
            keep(run)
            tell(run, len(found.runs), len(present) + len(unmeasured))
    except KeyboardInterrupt:
        found.interrupted = True
        cluster.cancel(open_tasks)
        found.runs += [KeptRun(_record(host, _ending(task, "canceled", ""), {}), None) for host in open_tasks.values()]
    known = {host.identity for host in present}
    found.late = tuple(host.name for host in cluster.hosts if host.identity not in known)
    return found


def _same(run: KeptRun | None, task: HostTask) -> KeptRun | None:
    """A run from before, if it has a report of the same plan."""
    if run is None or run.report is None or run.record.run.options != task.options:
        return None
    return run if run.record.run.outcome == "measured" else None


def _refused(refused: Iterable[RefusedWorker], task: HostTask) -> Iterator[KeptRun]:
    for worker in refused:
        stranger = WorkerHost(worker.host_name, "", (WorkerFacts(worker.address, worker.host_name, "", 0, None, {}),))
        yield KeptRun(
            _record(stranger, _ending(task, "refused" if worker.reached else "unreachable", worker.why), {}), None
        )


def _run_of(host: WorkerHost, task: HostTask, outcome: TaskOutcome) -> KeptRun:
    if outcome.error is not None:
        how: HostOutcome = "lost" if outcome.unanswered else "failed"
        return KeptRun(_record(host, _ending(task, how, in_words(outcome.error)), {}), None)
    told: dict[str, Any] = outcome.value
    printed: bytes = told["printed"]
    run = replace(
        _ending(task, _outcome_of(told), told["why"]),
        exit_code=told["exit_code"],
        started=told.get("started"),
        elapsed_s=told["elapsed_s"],
    )
    facts = {printable(str(name)): printable(str(text)) for name, text in [*told["facts"].items()][:FACTS_MAX]}
    if run.outcome != "measured":
        return KeptRun(_record(host, run, facts), None)
    return KeptRun(_record(host, replace(run, sha256=hashlib.sha256(printed).hexdigest()), facts), printed)


def _outcome_of(told: Mapping[str, Any]) -> HostOutcome:
    """Whether there is a report, whatever the exit code: a run may be invalid, and its report then says why."""
    if told["ending"] != "ended":
        return "failed" if told["ending"] == "not started" else told["ending"]
    return "measured" if _is_document(told["printed"]) else "failed"


class _Printed(msgspec.Struct):
    schema: str


def _is_document(printed: bytes) -> bool:
    if not printed or len(printed) > REPORT_BYTES_MAX:
        return False
    try:
        return msgspec.json.decode(printed, type=_Printed).schema.startswith("lowlat.")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _ending(task: HostTask, outcome: HostOutcome, why: str) -> FleetRun:
    reason = cut(printable(why), REASON_CHARS_MAX) if why else None
    return FleetRun(verb=task.verb, options=task.options, outcome=outcome, reason=reason)


def _record(host: WorkerHost, run: FleetRun, facts: dict[str, str]) -> HostRecord:
    return HostRecord(
        host=printable(host.name),
        boot_id=host.boot_id,
        clock_ahead_s=host.workers[0].clock_ahead_s,
        facts=facts,
        run=run,
    )
