"""Registries of named objects: built-in ones, and those that other packages provide as entry points.

Entry points are searched only for a name that is not built in, and to list all names. They are loaded one at a time, so
a broken one does not affect the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lowlat.errors import PlugInError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Named(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """Its name on the command line."""

    @property
    def sentence(self) -> str:
        """A description for help and messages, without a capital or a period."""


Entry = TypeVar("Entry", bound=Named)


class Registry(Generic[Entry]):
    """Entries of one type by name, built-in ones first."""

    def __init__(self, group: str, kind: type[Entry], built_in: Callable[[], Sequence[Entry]]) -> None:
        """`group`: the entry point group, whose objects have type `kind`. `built_in` is called on first use."""
        self.group = group
        self._kind = kind
        self._built_in = built_in

    @cached_property
    def built_in(self) -> Mapping[str, Entry]:
        """The built-in entries."""
        return {entry.name: entry for entry in self._built_in()}

    def __contains__(self, name: str) -> bool:
        return name in self.built_in or name in self.offered()

    def names(self) -> list[str]:
        """All names. Loads no other package."""
        return [*self.built_in, *self.offered()]

    def get(self, name: str) -> Entry:
        """The entry of this name. Raises `UsageError`, or `PlugInError` for an entry of another package."""
        if name in self.built_in:
            return self.built_in[name]
        points = self.offered().get(name)
        if points is None:
            raise UsageError(self.refusal(name))
        return self._loaded(name, points)

    def provider(self, name: str) -> tuple[str, str]:
        """The package that provides a name that `get` takes, and its version."""
        from importlib.metadata import version

        if name in self.built_in:
            return "lowlat", version("lowlat")
        dist = self.offered()[name][0].dist
        return (dist.name, dist.version) if dist else ("unknown", "unknown")

    def refusal(self, name: str, others: Iterable[str] = ()) -> str:
        """The error message for an unknown name, with the valid names; `others`: further names that are valid here."""
        known = ", ".join(map(repr, (*self.names(), *others)))
        return "; ".join([f"{name!r} is not one of {known}", *self.refused()])

    def listing(self) -> str:
        """All names, each with its description or the package that provides it."""
        ours = [f"{name} ({entry.sentence})" for name, entry in self.built_in.items()]
        theirs = [f"{name} (of {_packages(points)})" for name, points in self.offered().items()]
        return "; ".join([", ".join([*ours, *theirs]), *self.refused()])

    def offered(self) -> dict[str, list[EntryPoint]]:
        """Entry points of other packages, by name. A name has several if packages collide."""
        return {name: points for name, points in self._points().items() if name not in self.built_in}

    def refused(self) -> list[str]:
        """One line for each entry point with the name of a built-in entry."""
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
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() too
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
