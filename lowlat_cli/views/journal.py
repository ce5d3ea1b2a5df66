"""A journal on the terminal: the results of a check, or its commands, one per line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from lowlat import units
from lowlat.engine.journal.compaction import Compacted
from lowlat.engine.journal.document import commands_per_s
from lowlat.engine.journal.dump import Listing
from lowlat.engine.journal.dump_document import flag_names, named
from lowlat.engine.journal.header import VERSION
from lowlat.engine.journal.records import BlockKind
from lowlat.engine.journal.segment import Block
from lowlat.engine.journal.verify import Executed, JournalCheck
from lowlat.engine.matching.records import (
    STATES,
    CommandType,
    PoolPolicy,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingPhase,
)
from lowlat.text import plain_text
from lowlat_cli.views import layout


def journal_view(check: JournalCheck) -> RenderableType:
    """The results of a check."""
    return layout.facts(_facts(check))


def compaction_view(path: Path, done: Compacted) -> RenderableType:
    """What a compaction did."""
    size = sum(each.size for each in done.removed)
    names = ", ".join(each.path.name for each in done.removed)
    removed = f"{units.counted(len(done.removed), 'file')}, {units.size(size)}: {names}" if done.removed else "nothing"
    snapshot = f"after {units.counted(done.snapshot.sequence, 'command')} · {units.size(done.snapshot.size)}"
    return layout.facts(
        [("journal", plain_text(str(path), style="bold")), ("snapshot", snapshot), ("removed", removed)]
    )


def _facts(check: JournalCheck) -> Iterator[tuple[str, str | Text | None]]:
    head, settings, tally = check.head, check.head.settings, check.tally
    yield "journal", plain_text(str(check.path), style="bold")
    yield "identity", f"{head.identity} · version {VERSION} · created {head.created:%Y-%m-%d %H:%M:%S} UTC"
    yield (
        "engine",
        f"{units.counted(len(settings.instruments), 'symbol')} · {units.counted(settings.orders, 'order')} "
        f"({_on_exhaustion(settings.when_orders_dry)} on exhaustion) · {units.counted(settings.trades, 'trade')} "
        f"({_on_exhaustion(settings.when_trades_dry)} on exhaustion)",
    )
    yield "segments", _segments(check)
    yield "size", f"{units.size(check.size)} ({check.size:,} bytes) · {units.counted(check.whole.end.blocks, 'block')}"
    drained = f" · trade tape emptied {units.plural(tally.drains, 'time')}" if tally.drains else ""
    yield "commands", f"{tally.commands:,} ({tally.plain:,} plain, {tally.wide:,} wide){drained}"
    yield "end", _end(check)
    yield "writer", "an engine is writing it; shown as of this read" if check.held else "none"
    yield "snapshot", _snapshot(check)
    yield "recovered", _recovered(check.recovered)
    yield "speed", _speed(check)


def _segments(check: JournalCheck) -> Text | None:
    first, last = check.segments[0], check.segments[-1]
    if first is last and first.number == 1:
        return None
    names = first.path.name if first is last else f"{first.path.name} to {last.path.name}"
    shown = f"{units.counted(len(check.segments), 'file')}: {names}"
    if check.gap is not None:
        return plain_text(f"{shown} · {check.gap}", style="bold red")
    if first.number > 1:
        removed = "missing" if check.snapshot is None else "removed by compaction"
        shown += f" · commands before {first.sequence:,} {removed}"
    return plain_text(shown)


def _on_exhaustion(policy: PoolPolicy) -> str:
    return "reject" if policy is PoolPolicy.REJECT else policy.name.lower()


def _end(check: JournalCheck) -> str | Text:
    end = check.whole.end
    if check.reason is not None:
        return plain_text(check.reason, style="yellow" if check.state == "torn" else "bold red")
    return f"intact, ends after block {end.blocks - 1:,} at byte {end.end:,}" if end.blocks else "intact and empty"


def _snapshot(check: JournalCheck) -> str | Text:
    snapshot = check.snapshot
    if snapshot is None:
        return "none"
    if snapshot.sequence is None:
        return plain_text(f"not used: {snapshot.fault}", style="yellow")
    used = f"after {units.counted(snapshot.sequence, 'command')}, used"
    if check.state == "damaged":
        return f"{used}: it was taken after the damaged block"
    if check.problem is None:
        return used if check.whole.books is None else f"{used}: its state matches a full replay"
    return plain_text(f"{used}: its state DIFFERS from a full replay", style="bold red")


def _recovered(recovered: Executed | None) -> str | Text:
    if recovered is None:
        return plain_text("nothing: an engine will not recover from this journal", style="bold red")
    books = recovered.books
    assert books is not None  # recovery always executes
    return (
        f"{units.plural(books.live_orders, 'live order')} · {units.plural(books.trades, 'trade')}, "
        f"{books.trades_on_tape:,} on tape · {units.counted(recovered.commands, 'command')} executed · "
        f"state sha256:{books.state[:16]}..."
    )


def _speed(check: JournalCheck) -> str | None:
    rate = commands_per_s(check)
    if rate is None:
        return None
    return (
        f"{units.rate(rate)} · {1e9 / rate:,.1f} ns per command, checksums included · "
        f"full replay in {units.time(check.replay_ns)}"
    )


_STATED: Final[Mapping[int, frozenset[str]]] = dict(STATES.items())
"""By the number of a kind, which a rejected command may have none of."""
_NOTHING: Final[frozenset[str]] = frozenset()
_KIND: Final = named(CommandType)
_SIDE: Final = named(Side)
_TIF: Final = named(TimeInForce)
_SELF_TRADE: Final = named(SelfTradePrevention)
_PHASE: Final = named(TradingPhase)


def listing_lines(listing: Listing) -> Iterator[str]:
    """The commands as lines under a heading, in pieces. A number too wide for its column shifts the rest."""
    yield _line("command", "kind", "order", "symbol", "side", "quantity", "price", "tif", "terms")
    for block in listing.blocks():
        yield "".join(_lines(block))


def _lines(block: Block) -> Iterator[str]:
    if block.kind is BlockKind.DRAIN:
        emptied = f"the trade tape was emptied before command {block.sequence}"
        yield _line("", "DRAIN", "", "", "", "", "", "", emptied)
    for sequence, record in enumerate(block.commands.tolist(), block.sequence):
        order, price, quantity, symbol, kind, side, tif, flags, *terms = record
        stated = _STATED.get(kind, _NOTHING)
        yield _line(
            sequence,
            _KIND(kind),
            order if order or "order_id" in stated else "",
            symbol if symbol or "symbol" in stated else "",
            _SIDE(side) if side or "side" in stated else "",
            quantity if quantity or "quantity" in stated else "",
            price if price or "price" in stated else "",
            _TIF(tif) if tif or "time_in_force" in stated else "",
            ", ".join(_terms(kind, quantity, flags, *terms)) if flags or terms or kind == CommandType.PHASE else "",
        )


def _line(*cells: str | int) -> str:
    command, kind, order, symbol, side, quantity, price, tif, terms = cells
    about = f"{command:>10}  {kind:<13}  {order:>12}  {symbol:>6}"
    return f"{about}  {side:<4}  {quantity:>10}  {price:>12}  {tif:<3}  {terms}".rstrip() + "\n"


def _terms(
    kind: int,
    quantity: int,
    flags: int,
    trigger: int = 0,
    expiry: int = 0,
    display_quantity: int = 0,
    participant_id: int = 0,
    self_trade: int = 0,
) -> Iterator[str]:
    for flag in flag_names(flags):
        yield flag if isinstance(flag, str) else f"flags {flag:#x}"
    if trigger or "trigger" in _STATED.get(kind, _NOTHING):
        yield f"trigger {trigger}"
    for name, value in (("expiry", expiry), ("display", display_quantity), ("participant", participant_id)):
        if value:
            yield f"{name} {value}"
    if self_trade:
        yield f"self-trade {_SELF_TRADE(self_trade)}"
    if kind == CommandType.PHASE:
        yield f"phase {_PHASE(quantity)}"
