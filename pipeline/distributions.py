"""Installed distributions, read from their metadata: whose a module is, and what they require.

Nothing is imported. The lists of files in their RECORDs say which of several distributions has a
module of a namespace package, such as `google.protobuf`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageMetadata, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_CODE = (".py", ".so", ".pyd")


def installed() -> Installed:
    """Return the distributions on `sys.path`, read once."""
    return _installed(_folders())


@functools.cache
def _installed(path: tuple[str, ...]) -> Installed:
    return Installed(path)


class Installed:
    """The distributions in folders; of several with one name, the first, as in an import.

    Args:
      path: the folders.
    """

    def __init__(self, path: Iterable[str]) -> None:
        self._metadata: dict[str, PackageMetadata] = {}
        self._owners: dict[str, set[str]] = {}
        self._requirements: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for distribution in distributions(path=list(path)):
            metadata = distribution.metadata
            if "Name" not in metadata:  # what an uninstalled one left behind
                continue
            name = canonicalize_name(metadata["Name"])
            if self._metadata.setdefault(name, metadata) is metadata:
                for module in _modules(distribution):
                    self._owners.setdefault(module, set()).add(name)

    def owners(self, module: str) -> set[str]:
        """Return the distributions that have a module, or else the package around it.

        Args:
          module: its dotted name, which may end in something that the module binds.
        """
        while module and module not in self._owners:
            module = module.rpartition(".")[0]
        return self._owners.get(module, set())

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """Return the versions of distributions and of all that they require, directly or not.

        A requirement counts if it is installed and its marker holds here, with the extras wanted.
        """
        found: set[tuple[str, str]] = set()
        todo = [(name, "") for name in names]
        while todo:
            item = todo.pop()
            if item not in found:
                found.add(item)
                todo += self._required(*item)
        return {name: self._metadata[name]["Version"] for name, _ in sorted(found)}

    def _required(self, name: str, extra: str) -> list[tuple[str, str]]:
        """What a distribution with an extra ("" for none) requires, each with an extra, too."""
        if (name, extra) not in self._requirements:
            texts = self._metadata[name].get_all("Requires-Dist") or ()
            self._requirements[name, extra] = [
                (needed, its_extra)
                for one in map(Requirement, texts)
                if one.marker is None or one.marker.evaluate({"extra": extra})
                if (needed := canonicalize_name(one.name)) in self._metadata
                for its_extra in ("", *one.extras)
            ]
        return self._requirements[name, extra]


def _modules(distribution: Distribution) -> Iterator[str]:
    """The dotted names of a distribution's modules; of those at the top where it has no RECORD."""
    record = distribution.read_text("RECORD")
    if record is None:
        yield from (distribution.read_text("top_level.txt") or "").split()
        return
    for line in record.splitlines():
        path = line.partition(",")[0]
        if path.endswith(_CODE):
            folder, _, file = path.rpartition("/")
            parts = [*folder.split("/"), file.partition(".")[0]] if folder else [file.split(".")[0]]
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _folders() -> tuple[str, ...]:
    """The folders of `sys.path`, without those inside a package.

    setuptools appends one when it is imported, with copies of libraries for itself alone.
    """
    folders = dict.fromkeys(map(os.path.abspath, sys.path))
    return tuple(f for f in folders if not os.path.exists(f"{os.path.dirname(f)}/__init__.py"))


def is_there(module: str) -> bool:
    """Return whether a module, or a package around it, is on `sys.path`; nothing is imported.

    A namespace package does not count: it has no code.
    """
    parts = module.split(".")
    path = None
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None:
            return False
        if spec.origin is not None:
            return True
        path = spec.submodule_search_locations
    return False


def metadata_folders() -> list[str]:
    """Return the names of the metadata on `sys.path`, such as `rich-13.9.4.dist-info`.

    They hold the versions, so that nothing has to be read to find that none has changed.
    """
    names: list[str] = []
    for folder in _folders():
        with contextlib.suppress(OSError):  # is not a folder, or cannot be read: as in an import
            names += sorted(os.listdir(folder))
    return [name for name in names if name.endswith((".dist-info", ".egg-info"))]
