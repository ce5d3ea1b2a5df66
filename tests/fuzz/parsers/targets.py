"""All parsers written in Python, or with a head that is."""

from __future__ import annotations

from typing import Final

from tests.fuzz.parsers.answers import ANSWERS
from tests.fuzz.parsers.feeds import DBN
from tests.fuzz.parsers.fleets import FLEET, HOSTS
from tests.fuzz.parsers.flows import LOBSTER, LOBSTER_BOOK, PROFILE
from tests.fuzz.parsers.hosts import ARCHIVE
from tests.fuzz.parsers.journals import JOURNAL_FILE, SNAPSHOT_FILE
from tests.fuzz.parsers.kernel import COUNTERS, HOST
from tests.fuzz.parsers.latencies import LATENCIES
from tests.fuzz.parsers.packed import PACKED, ZIP
from tests.fuzz.parsers.recordings import ITCH
from tests.fuzz.parsers.reports import HDR, HLOG, REPORT
from tests.fuzz.parsers.settings import OPTIONS, SETTINGS
from tests.fuzz.parsers.shared import BOOK, RING
from tests.fuzz.parsers.tables import ARROW, MAPPING, PARQUET, TABLE
from tests.fuzz.parsers.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        JOURNAL_FILE,
        SNAPSHOT_FILE,
        REPORT,
        HLOG,
        HDR,
        LATENCIES,
        LOBSTER,
        LOBSTER_BOOK,
        ITCH,
        DBN,
        TABLE,
        PARQUET,
        ARROW,
        MAPPING,
        PACKED,
        ZIP,
        PROFILE,
        SETTINGS,
        OPTIONS,
        HOSTS,
        FLEET,
        ANSWERS,
        ARCHIVE,
        HOST,
        COUNTERS,
        BOOK,
        RING,
    )
}
