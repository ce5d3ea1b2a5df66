"""All documents that verbs print. `make stubs` generates the schemas in `lowlat/schema` from this table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from lowlat.documents import file_of
from lowlat.engine.flow.profile_document import ProfilesDocument
from lowlat.engine.flow.statistics.check import ProfileCheck
from lowlat.engine.journal.compaction_document import CompactionDocument
from lowlat.engine.journal.document import JournalDocument
from lowlat.engine.journal.dump_document import DumpDocument
from lowlat.probes.clock.counter import Calibration
from lowlat.probes.cpu.placement import Plan
from lowlat.probes.cpu.threads import ThreadsDocument
from lowlat.probes.doctor.examination import Examination
from lowlat.probes.topology.document import TopologyDocument
from lowlat.reports.compare.history import History
from lowlat.reports.model.ablation import Ablation
from lowlat.reports.model.book import BookDocument, BooksDocument
from lowlat.reports.model.capture import Capture
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.conformance import Conformance
from lowlat.reports.model.cores import Cores
from lowlat.reports.model.fleet import Fleet
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.league import League
from lowlat.reports.model.memory import Memory
from lowlat.reports.model.rebuild import Rebuild
from lowlat.reports.model.replays import Replays
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep
from lowlat.schemas import Schema, schema_of


@dataclass(frozen=True, slots=True)
class Document:
    """A document type: its model, and the verbs that print it with `--json`."""

    model: type
    verbs: tuple[str, ...]
    closed: bool = True
    """Whether its schema admits no field that it does not name. Those that lowlat reads back do: a later one may add
    fields, and an earlier one ignores them."""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        printed_by = ", ".join(f"`lowlat {verb} --json`" for verb in self.verbs)
        return schema_of(self.model, closed=self.closed, printed_by=printed_by)

    @property
    def name(self) -> str:
        """Its kind and version, e.g. lowlat.report/1."""
        return str(self.schema["title"])

    @property
    def file(self) -> str:
        """Name of the file in `lowlat/schema`."""
        return file_of(self.name)

    @property
    def text(self) -> str:
        """The expected content of that file."""
        return json.dumps(self.schema, indent=2, ensure_ascii=False) + "\n"


DOCUMENTS: Final = (
    Document(Report, ("bench", "replay", "report"), closed=False),
    Document(Sweep, ("bench --sweep", "report"), closed=False),
    Document(History, ("report --history",), closed=False),
    Document(Comparison, ("compare", "ab"), closed=False),
    Document(League, ("league",), closed=False),
    Document(Fleet, ("fleet bench", "fleet doctor", "fleet jitter", "fleet calibrate", "fleet report")),
    Document(Rebuild, ("replay --mode rebuild",)),
    Document(Replays, ("replay FILE...",)),
    Document(Ablation, ("ablate",)),
    Document(JournalDocument, ("journal verify",)),
    Document(DumpDocument, ("journal dump",)),
    Document(CompactionDocument, ("journal compact",)),
    Document(ProfilesDocument, ("profile list",)),
    Document(ProfileCheck, ("profile check",)),
    Document(BookDocument, ("book SYMBOL",)),
    Document(BooksDocument, ("book",)),
    Document(TopologyDocument, ("topology",)),
    Document(Examination, ("doctor",)),
    Document(Calibration, ("calibrate",)),
    Document(Jitter, ("jitter",)),
    Document(Capture, ("capture",)),
    Document(Memory, ("memory",)),
    Document(Cores, ("cores",)),
    Document(Conformance, ("verify",)),
    Document(ThreadsDocument, ("affinity show", "affinity set")),
    Document(Plan, ("affinity plan",)),
)
