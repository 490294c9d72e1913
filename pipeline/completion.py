"""What a shell completes: names of datasets, of pipelines and of runs.

click calls these functions in a process of its own, for each press of the tabulator key. They
return nothing where there is nothing to complete, and never raise an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def datasets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the shipped datasets, and folders."""
    from schemas.catalog import shipped

    return [*_starting(shipped(), incomplete), CompletionItem(incomplete, type="dir")]


def pipelines(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the folders of pipelines in `runs`, and other folders."""
    found = [os.path.join("runs", name) for name in _names("runs")]
    return [*_starting(found, incomplete), CompletionItem(incomplete, type="dir")]


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the pipelines in the folder of `--output`, and ids of runs, newest first."""
    root = ctx.params.get("output") or "runs"
    names = _names(root)
    ids = {run for name in names for run in _names(os.path.join(root, name, "runs"))}
    return _starting([*names, *sorted(ids, reverse=True)], incomplete)


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
