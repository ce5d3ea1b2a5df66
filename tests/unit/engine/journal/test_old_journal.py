"""A journal and its snapshot written by an earlier lowlat stay readable; those of the format before are refused."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from lowlat.documents import text
from lowlat.engine.journal.document import JournalDocument
from lowlat.engine.journal.errors import JournalError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL, pack_head
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, TickRounding

JOURNAL_BYTES = bytes.fromhex(
    "4c4f574c41544a000200000040010000df1b66b77b226964656e74697479223a2230313233343536373839616263646566303132333435"
    "36373839616263646566222c2263726561746564223a22323032362d30312d30325430333a30343a30352e3637383930315a222c227365"
    "676d656e74223a312c22626c6f636b73223a302c2273657175656e6365223a302c22636861696e223a302c226f7264657273223a37302c"
    "22747261646573223a392c227768656e5f6f72646572735f647279223a312c227768656e5f7472616465735f647279223a302c2273796d"
    "626f6c73223a5b5b352c31302c2d3130302c31303030302c22302e303035222c302c305d2c5b312c312c2d393232333337323033363835"
    "343737353830382c393232333337323033363835343737353830372c22302e3031222c312c325d5d7d202020204c4c4a42200000000000"
    "0000000000000000000000000000df1b66b701000000628701f8901b5a20010000000000000032000000000000000a0000000000000000"
    "000000010000004c4c4a45901b5a204c4c4a422000000001000000000000000000000000000000901b5a2001000000b8c9cbcf030c3131"
    "02000000000000002d00000000000000140000000000000000000000010100004c4c4a45030c3131"
)
"""Two blocks: buy 10 at 50, then sell 20 at 45; both symbols and all pools have settings that are not the default."""

SNAPSHOT_BYTES = bytes.fromhex(
    "4c4f574c4154530002000000c00000007aab25197b226964656e74697479223a2230313233343536373839616263646566303132333435"
    "36373839616263646566222c227365676d656e74223a312c22656e64223a3430302c22626c6f636b73223a312c2273657175656e636522"
    "3a312c22636861696e223a3534323737363230382c2273746174655f6279746573223a3137362c2273746174655f636865636b73756d22"
    "3a333436383937373539397d20202020202020202020202020202001000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000009000000000000000000000000000000000000000000000046000000020000000000000000000000000000"
    "00000000000100000000000000000000000000000000000000000000000100000000000000f5ffffffffffffff0a000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000"
)
"""Taken between the two."""

SETTINGS = EngineConfig(
    (
        Instrument(tick=5, lot=10, price_min=-100, price_max=10_000, unit=Decimal("0.005")),
        Instrument(algorithm=MatchAlgorithm.PRO_RATA, off_tick=TickRounding.PASSIVE),
    ),
    orders=70,
    trades=9,
    when_orders_dry=PoolPolicy.GROW,
    when_trades_dry=PoolPolicy.REJECT,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.journal"
    path.write_bytes(JOURNAL_BYTES)
    snapshot_path(path).write_bytes(SNAPSHOT_BYTES)
    return path


def test_its_head_is_read_and_would_be_written_the_same(path: Path) -> None:
    with JournalFile(path) as file:
        assert file.settings == SETTINGS
        assert pack_head(JOURNAL, file.head.to_json())[0] == JOURNAL_BYTES[: file.beginning.end]


def test_its_commands_and_its_snapshot_give_one_state(path: Path) -> None:
    """10 of the 20 sold trade with the buy; the other 10 rest."""
    check = check_journal(path)
    assert (check.state, check.problem, check.tally.commands) == ("sound", None, 2)
    assert check.snapshot is not None and check.snapshot.sequence == 1
    assert check.recovered is not None
    assert (check.recovered.books.live_orders, check.recovered.books.trades) == (1, 1)


def test_its_document_says_the_settings_in_words(path: Path) -> None:
    assert json.loads(text(JournalDocument.of(check_journal(path))))["settings"] == {
        "symbols": [
            {
                "tick": 5,
                "lot": 10,
                "price_min": -100,
                "price_max": 10_000,
                "unit": "0.005",
                "algorithm": "fifo",
                "off_tick": "reject",
            },
            {
                "tick": 1,
                "lot": 1,
                "price_min": -(2**63),
                "price_max": 2**63 - 1,
                "unit": "0.01",
                "algorithm": "pro_rata",
                "off_tick": "passive",
            },
        ],
        "orders": 70,
        "trades": 9,
        "when_orders_dry": "grow",
        "when_trades_dry": "reject",
    }


def test_a_journal_of_the_format_before_is_refused_by_its_version(path: Path) -> None:
    """Its head has 32 bytes for each block, and no segment: nothing after its version means the same."""
    path.write_bytes(JOURNAL_BYTES[:8] + b"\1" + JOURNAL_BYTES[9:])
    with pytest.raises(
        JournalError, match="has version 1, but this lowlat reads version 2; use the lowlat that wrote it"
    ):
        JournalFile(path)
