"""The support bundle of `lowlat capture`: each part is measured, redacted and written, even if another fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowlat.documents import text, values
from lowlat.engine.bench.jitter import measured
from lowlat.errors import LowlatError
from lowlat.files import new_folder, write_inside
from lowlat.probes.clock.counter import calibrate, calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.doctor.examination import examine_tree
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.host.recording import folders_of, record_host
from lowlat.probes.host.redaction import Redaction
from lowlat.probes.host.snapshot import BUNDLE_FILE
from lowlat.probes.jitter.gaps import GapPlan
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument
from lowlat.reports.model.capture import Capture, CapturedPart, PartName

if TYPE_CHECKING:
    from lowlat_cli.progress import Progress

_CALIBRATION_S = 0.1
COMMAND_LINE = "proc/cmdline"


def capture_bundle(
    path: Path, duration_s: float, progress: Progress, *, with_identity: bool = False, tree: HostTree = LIVE
) -> Capture:
    """Write the bundle as a new folder, whole or not at all.

    Raises `OutputPathError` if the folder is not empty or cannot be written.
    """
    started = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    with new_folder(path) as folder:
        redaction = None if with_identity else Redaction(tree)
        found = Capture(
            version=version("lowlat"),
            started=started,
            with_identity=with_identity,
            parts=tuple(_parts(folder, tree, redaction, duration_s, progress)),
        )
        write_inside(folder, BUNDLE_FILE, text(found))
    return found


def _parts(
    folder: Path, tree: HostTree, redaction: Redaction | None, duration_s: float, progress: Progress
) -> Iterator[CapturedPart]:
    progress("reading the host", 0.0)
    yield from _host(folder, tree, redaction)

    def jitter() -> object:
        clock_hz = calibrate_quick().frequency_hz
        plan = GapPlan(duration_s, clock_hz, None, None)
        found = measured(allowed_cpus(), plan, clock_hz, lambda share: progress("watching for jitter", share))
        if found.status == "interrupted":
            raise KeyboardInterrupt  # the bundle is written whole or not at all
        return found

    documents: dict[PartName, Callable[[], object]] = {
        "topology": lambda: TopologyDocument.of(read_topology(tree), None),
        "doctor": lambda: examine_tree(tree),
        "calibration": lambda: calibrate(_CALIBRATION_S, None),
        "jitter": jitter,
    }
    for name, measure in documents.items():
        progress(name, 0.0)
        yield _document(folder / f"{name}.json", name, measure, redaction)


def _document(path: Path, name: PartName, measure: Callable[[], object], redaction: Redaction | None) -> CapturedPart:
    try:
        document = values(measure())
    except LowlatError as error:
        return _failed(name, str(error), redaction)
    write_inside(path.parent, path.name, _text(document, redaction))
    return CapturedPart(name=name, status="ok", reason=None, files=(path.name,))


def _text(document: Any, redaction: Redaction | None) -> str:
    redacted = document if redaction is None else redaction.document(document)
    return json.dumps(redacted, indent=2, allow_nan=False) + "\n"


def _failed(name: PartName, reason: str, redaction: Redaction | None) -> CapturedPart:
    return CapturedPart(
        name=name, status="failed", reason=reason if redaction is None else redaction.text(reason), files=()
    )


def _host(folder: Path, tree: HostTree, redaction: Redaction | None) -> Iterator[CapturedPart]:
    """Write the record as files below `sys/`, `proc/` and `lowlat/`, which `--root` reads."""
    record = record_host(tree, redaction)
    folders = folders_of(record)
    for name in folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, content in record.files.items():
        write_inside(folder, name, content)
    yield CapturedPart(name="host", status="ok", reason=None, files=tuple(sorted(record.files)))
    if COMMAND_LINE in record.files:
        yield CapturedPart(name="command line", status="ok", reason=None, files=(COMMAND_LINE,))
    else:
        yield _failed("command line", tree.reading(COMMAND_LINE).reason or "not read", redaction)
