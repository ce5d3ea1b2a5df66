"""A journal and its snapshot written by an earlier lowlat stay readable."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from lowlat.documents import text
from lowlat.engine.journal.document import JournalDocument
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL, pack_head
from lowlat.engine.journal.snapshot import snapshot_path
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, TickRounding

JOURNAL_BYTES = bytes.fromhex(
    "4c4f574c41544a0001000000200100004521faf07b226964656e74697479223a2230313233343536373839616263646566303132333435"
    "36373839616263646566222c2263726561746564223a22323032362d30312d30325430333a30343a30352e3637383930315a222c226f72"
    "64657273223a37302c22747261646573223a392c227768656e5f6f72646572735f647279223a312c227768656e5f7472616465735f6472"
    "79223a302c2273796d626f6c73223a5b5b352c31302c2d3130302c31303030302c22302e303035222c302c305d2c5b312c312c2d393232"
    "333337323033363835343737353830382c393232333337323033363835343737353830372c22302e3031222c312c325d5d7d2020202020"
    "202020202020202020202020204c4c4a422000000000000000000000004521faf001000000628701f84b3635e301000000000000003200"
    "0000000000000a0000000000000000000000010000004c4c4a454b3635e34c4c4a422000000001000000000000004b3635e301000000b8"
    "c9cbcfb5e7bc7102000000000000002d00000000000000140000000000000000000000010100004c4c4a45b5e7bc71"
)
"""Two blocks: buy 10 at 50, then sell 20 at 45; both symbols and all pools have settings that are not the default."""

SNAPSHOT_BYTES = bytes.fromhex(
    "4c4f574c4154530001000000c00000004ed623117b226964656e74697479223a2230313233343536373839616263646566303132333435"
    "36373839616263646566222c22656e64223a3336302c22626c6f636b73223a312c2273657175656e6365223a312c22636861696e223a33"
    "3831313931353333392c2273746174655f6279746573223a3137362c2273746174655f636865636b73756d223a33343638393737353939"
    "7d202020202020202020202020202020202020202020202020202001000000000000000000000000000000000000000000000000000000"
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
    when_trades_dry=PoolPolicy.REFUSE,
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
        assert pack_head(JOURNAL, file.head.to_json())[0] == JOURNAL_BYTES[: file.start]


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
        "when_trades_dry": "refuse",
    }
