"""Order flow, synthetic from a profile or recorded, as one array of commands; and the books of a feed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lowlat.engine.feed.book_builder import BookBuilder as BookBuilder

__all__: Final = ["BookBuilder"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("lowlat.engine.feed.book_builder"), name)
