"""Things of one kind by name: those built in, and those that other packages offer as entry points.

Other packages are asked only for a name that is not built in, and to list the names there are. They are loaded one at a
time, so that a broken one stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lowlat.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class UnknownNameError(UsageError):
    """A name that nothing has."""


class PlugInError(UsageError):
    """What another package offers cannot be used; the message names the package."""


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def sentence(self) -> str:
        """What it is, for help and messages: no capital, no period."""


Entry = TypeVar("Entry", bound=Named)


class Registry(Generic[Entry]):
    """Entries of one type, by name: the built-in ones first."""

    def __init__(self, group: str, kind: type[Entry], built_in: Callable[[], Sequence[Entry]]) -> None:
        """`group`: of entry points whose objects are of type `kind`. `built_in` is called when it is first needed."""
        self.group = group
        self._kind = kind
        self._built_in = built_in

    @cached_property
    def built_in(self) -> Mapping[str, Entry]:
        """The entries of this package."""
        return {entry.name: entry for entry in self._built_in()}

    def __contains__(self, name: str) -> bool:
        return name in self.built_in or name in self.offered()

    def names(self) -> list[str]:
        """All names. Nothing of another package is loaded for it."""
        return [*self.built_in, *self.offered()]

    def get(self, name: str) -> Entry:
        """The entry of this name. Raises `UnknownNameError`, and `PlugInError` for one of another package."""
        if name in self.built_in:
            return self.built_in[name]
        points = self.offered().get(name)
        if points is None:
            raise UnknownNameError(self.refusal(name))
        return self._loaded(name, points)

    def refusal(self, name: str, others: Iterable[str] = ()) -> str:
        """That this is no name, and which there are; `others`: names that would do too where this one was given."""
        known = ", ".join(map(repr, (*self.names(), *others)))
        return "; ".join([f"{name!r} is not one of {known}", *self.refused()])

    def listing(self) -> str:
        """All names, with what each is or whose."""
        ours = [f"{name} ({entry.sentence})" for name, entry in self.built_in.items()]
        theirs = [f"{name} (of {_packages(points)})" for name, points in self.offered().items()]
        return "; ".join([", ".join([*ours, *theirs]), *self.refused()])

    def offered(self) -> dict[str, list[EntryPoint]]:
        """What other packages offer, by name. One name has several entry points where packages collide."""
        return {name: points for name, points in self._points().items() if name not in self.built_in}

    def refused(self) -> list[str]:
        """A line on each entry point that has a built-in entry's name."""
        points = self._points()
        return [
            f"{name!r} of {_packages(points[name])} is refused: that name is built in"
            for name in self.built_in
            if name in points
        ]

    def _points(self) -> dict[str, list[EntryPoint]]:
        from importlib.metadata import entry_points

        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            found.setdefault(point.name, []).append(point)
        return found

    def _loaded(self, name: str, points: Sequence[EntryPoint]) -> Entry:
        whose = f"{name!r} of {_packages(points)}"
        if len(points) > 1:
            raise PlugInError(f"{whose}: several have this name; remove all but one")
        try:
            found = points[0].load()
        except Exception as error:
            raise PlugInError(
                f"{whose} cannot be loaded: {type(error).__name__}: {error}; repair or remove it"
            ) from error
        if not isinstance(found, self._kind) or found.name != name:
            expected = f"{self._kind.__module__}.{self._kind.__name__}"
            raise PlugInError(f"{whose} is {found!r}; expected an object of {expected} with that name")
        return found


def _packages(points: Sequence[EntryPoint]) -> str:
    names = sorted(point.dist.name if point.dist else "unknown" for point in points)
    return f"package{'s' * (len(names) > 1)} {', '.join(names)}"
