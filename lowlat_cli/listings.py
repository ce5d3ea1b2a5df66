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


def _mappings() -> str:
    from lowlat.engine.flow.readers.table.mapping import shipped

    return ", ".join(shipped())


def _writers() -> str:
    from lowlat.engine.flow.writers import WRITERS

    return ", ".join(f"{writer.name} ({writer.sentence})" for writer in WRITERS.values())


def _profiles() -> str:
    from lowlat.engine.flow.profile import profile_names

    return ", ".join(profile_names())


def _techniques() -> str:
    from lowlat.engine.ablation.catalog import TECHNIQUES

    return ", ".join(each.name for each in TECHNIQUES)


_LISTINGS: Final[Mapping[str, Callable[[], str]]] = {
    "{engines}": _engines,
    "{readers}": _readers,
    "{outputs}": _outputs,
    "{profiles}": _profiles,
    "{mappings}": _mappings,
    "{writers}": _writers,
    "{techniques}": _techniques,
}


def engine_names(incomplete: str) -> list[str]:
    """Engines, for completion. Here and below, `incomplete` is what has been typed; the caller compares."""
    from lowlat.engine.bench.engines import ENGINES

    del incomplete
    return ENGINES.names()


def reader_names(incomplete: str) -> list[str]:
    """The formats of recorded orders, and of the output."""
    from lowlat.engine.flow.registry import READERS

    del incomplete
    return [*READERS.names(), "table", "json"]


def recording_names(incomplete: str) -> list[str]:
    """The formats of recorded orders."""
    from lowlat.engine.flow.registry import READERS

    del incomplete
    return READERS.names()


def writer_names(incomplete: str) -> list[str]:
    """The formats that recorded orders can be written in."""
    from lowlat.engine.flow.writers import WRITERS

    del incomplete
    return list(WRITERS)


def mapping_names(incomplete: str) -> list[str]:
    """The mappings of columns that come with lowlat."""
    from lowlat.engine.flow.readers.table.mapping import shipped

    del incomplete
    return shipped()


def output_names(incomplete: str) -> list[str]:
    """The formats of a saved report."""
    from lowlat.reports.outputs.registry import OUTPUTS

    del incomplete
    return ["table", *OUTPUTS]


def profiles(incomplete: str) -> list[str]:
    """The built-in profiles."""
    from lowlat.engine.flow.profile import profile_names

    del incomplete
    return list(profile_names())


def technique_names(incomplete: str) -> list[str]:
    """The techniques of `lowlat ablate`."""
    from lowlat.engine.ablation.catalog import TECHNIQUES

    del incomplete
    return [each.name for each in TECHNIQUES]


def books(incomplete: str) -> list[str]:
    """The books in the default folder."""
    from lowlat.engine.shared_book.document import books_document
    from lowlat.engine.shared_book.file import default_folder
    from lowlat.errors import LowlatError

    del incomplete
    try:
        return [book.symbol for book in books_document(default_folder()).books]
    except (LowlatError, OSError):
        return []


def with_names(text: str) -> str:
    """The text with each `{listing}` replaced."""
    for mark, listing in _LISTINGS.items():
        if mark in text:
            text = text.replace(mark, printable(listing()))  # other packages name some
    return text
