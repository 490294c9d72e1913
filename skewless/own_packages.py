"""Checks that Skewless's top-level packages are the ones that Python finds under their names.

A program with its own package `pipeline` hides Skewless's package, or is hidden by it.
"""

from __future__ import annotations

import importlib.util
import os

NAMES = ("schemas", "components", "pipeline")


def foreign_package() -> str | None:
    """Return an error message if Python finds another package of one of the names, else None."""
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    for name in NAMES:
        expected, found = os.path.join(root, name, "__init__.py"), _found(name)
        if os.path.realpath(found) != expected:
            return (
                f"Skewless needs its own package {name!r}, and Python finds another one\n"
                f"  where:     {found}\n"
                f"  expected:  {expected}\n"
                "  to do:     rename it, or keep its folder off sys.path (PYTHONPATH, working"
                " folder)"
            )
    return None


def _found(name: str) -> str:
    """The file of a top-level package, or its folder where it has no file; nothing is imported."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return "nowhere on sys.path"
    return spec.origin or next(iter(spec.submodule_search_locations or ()), name)
