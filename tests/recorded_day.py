"""A recording such as LOBSTER's, small and made here."""

from __future__ import annotations

_NO_ASK, _NO_BID = "9999999999,0", "-9999999999,0"


def recorded_day(messages: int = 2_000) -> tuple[str, str]:
    """A message file and its order book file of one level: bids and offers come and go, and now and then one trades."""
    rows, book = [], []
    live: list[tuple[int, int, int]] = []
    for number in range(1, messages + 1):
        time = f"{34_200 + number * number / 1_000_000:.6f}"
        if number % 5 == 4 or number % 50 == 0:
            order_id, price, side = live.pop()
            rows.append(f"{time},{3 if number % 5 == 4 else 4},{order_id},100,{price},{side}")
        else:
            side = 1 if number % 2 else -1
            price = (10_000 - number % 7 if side == 1 else 10_010 + number % 7) * 100
            rows.append(f"{time},1,{number},100,{price},{side}")
            live.append((number, price, side))
        book.append(f"{_best(live, -1) or _NO_ASK},{_best(live, 1) or _NO_BID}")
    return "\n".join([*rows, ""]), "\n".join([*book, ""])


def _best(live: list[tuple[int, int, int]], side: int) -> str | None:
    """The best price of a side with the quantity there; None for an empty side."""
    prices = [price for _, price, at in live if at == side]
    if not prices:
        return None
    best = max(prices) if side == 1 else min(prices)
    return f"{best},{100 * prices.count(best)}"
