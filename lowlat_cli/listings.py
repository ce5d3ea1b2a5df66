"""Lists of names in help texts, from the same tables that the verbs use. A table is loaded when its help is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lowlat.text import printable


def _engines() -> str:
    from lowlat.engine.bench.engines import ENGINES

    return ENGINES.listing()


def _readers() -> str:
    from lowlat.engine.flow.registry import READERS

    return READERS.listing()


def _outputs() -> str:
    from lowlat.reports.outputs.registry import OUTPUTS

    return ", ".join(OUTPUTS)


def _profiles() -> str:
    from lowlat.engine.flow.profile import profile_names

    return ", ".join(profile_names())


_LISTINGS: Final[Mapping[str, Callable[[], str]]] = {
    "{engines}": _engines,
    "{readers}": _readers,
    "{outputs}": _outputs,
    "{profiles}": _profiles,
}


def with_names(text: str) -> str:
    """The text with each `{listing}` replaced."""
    for mark, listing in _LISTINGS.items():
        if mark in text:
            text = text.replace(mark, printable(listing()))  # other packages name some
    return text
