"""The looks of a comparison that ends by itself once every gated metric is decided. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Positive, Share
from lowlat.errors import NotValidError

Ending: TypeAlias = Literal["decided", "not decided", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the runs so far."""

    pairs: Annotated[Positive, Meta(description="Pairs so far")]
    significance: Annotated[
        Share, Meta(description="Significance level of this look: of p, and 1 minus the confidence of its intervals")
    ]
    spent: Annotated[Share, Meta(description="Error rate spent at this look and before")]
    undecided: Annotated[tuple[str, ...], Meta(description="Gated metrics that were inconclusive")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialTest:
    """A group-sequential test: looks after some of the pairs, until every gated metric is decided."""

    pairs_max: Annotated[Positive, Meta(description="Pairs after which it ends in any case")]
    significance: Annotated[
        Share,
        Meta(description="Error rate kept over all looks, two-sided, for each gated metric (Lan-DeMets, Pocock type)"),
    ]
    looks: Annotated[tuple[Look, ...], Meta(min_length=1, description="The looks, the first one first")]
    ended: Annotated[Ending, Meta(description="Why it ended: every gated metric decided, no more pairs, or Ctrl-C")]


def check(test: SequentialTest) -> None:
    """Raise `NotValidError` if the looks contradict each other or the end."""
    pairs = [look.pairs for look in test.looks]
    if pairs != sorted(set(pairs)) or pairs[-1] > test.pairs_max:
        raise NotValidError(f"the looks are after {pairs} pairs of {test.pairs_max}, which do not rise to it")
    spent = [0.0, *(look.spent for look in test.looks)]
    if spent != sorted(spent) or spent[-1] > test.significance:
        raise NotValidError(f"the looks have spent {spent[1:]} of an error rate of {test.significance}")
    undecided = [bool(look.undecided) for look in test.looks]
    if not all(undecided[:-1]):
        raise NotValidError("a look came after one at which every gated metric was decided")
    whole, last = pairs[-1] == test.pairs_max, undecided[-1]
    possible = {"decided": not last, "not decided": whole and last, "interrupted": not whole}
    if not possible[test.ended]:
        raise NotValidError(
            f"it ended {test.ended!r} after {pairs[-1]} of {test.pairs_max} pairs, unlike its last look"
        )
