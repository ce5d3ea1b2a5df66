"""A tree that notes what it may not read, so that nothing is called absent that was only denied."""

from __future__ import annotations

import errno

from lowlat.probes.host.host_tree import HostTree

ROOT_ONLY = ("proc/1/environ", "cpuset.cpus.isolated")
"""Ends of paths that only root may read on any host, each one source of several: denied is what they normally are."""


class NotingTree(HostTree):
    """Forwards every read to another tree; `denied` has the paths that exist and may not be read, in order.

    `lost` has those that a capture had.
    """

    def __init__(self, tree: HostTree) -> None:
        self._tree = tree
        self.root = tree.root
        self.denied: dict[str, None] = {}
        self.lost: dict[str, None] = {}

    @property
    def is_live(self) -> bool:
        """As the other tree."""
        return self._tree.is_live

    def fact(self, name: str) -> str | None:
        """A fact of the other tree."""
        return self._tree.fact(name)

    def read_bytes(self, path: str) -> bytes:
        """Content of a file."""
        return self.noted(path)

    def noted(self, path: str) -> bytes:
        """Read a file of the other tree, and note if it may not be read."""
        try:
            return self._tree.read_bytes(path)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM) and not path.endswith(ROOT_ONLY):
                self.denied[path] = None
            if self._tree.is_lost(path):
                self.lost[path] = None
            raise

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder."""
        names = self._tree.names(path)
        if not names and self._tree.is_denied(path):
            self.denied[path] = None
        return names

    def exists(self, path: str) -> bool:
        """Whether the path exists."""
        return self._tree.exists(path)

    def is_denied(self, path: str) -> bool:
        """Whether the path exists and may not be read."""
        return self._tree.is_denied(path)

    def is_lost(self, path: str) -> bool:
        """Whether a capture had the path, and has it no longer."""
        return self._tree.is_lost(path)

    def link_target(self, path: str) -> str | None:
        """The target of a link."""
        return self._tree.link_target(path)
