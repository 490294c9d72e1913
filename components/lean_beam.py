"""Spares Beam, in this process, what it computes again for each step, or for workers elsewhere.

Beam inspects the signature of every method of every DoFn, several times a step and again each time
it runs one, searches all of them for state, and parses its options again for every type that it
compares. For a table of 15,000
rows this is a fifth of a pipeline. And a combine with fan-out goes through six steps instead of
two, to spread its work over workers: in this process there is one, and the result is the same.

A Beam without these functions is only slower.
"""

from __future__ import annotations

import contextlib
import functools
import types
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import core, userstate

Arguments = tuple[list[str], list[Any]]

_ONE_WORKER: ContextVar[bool] = ContextVar("one_worker", default=False)
_known: weakref.WeakKeyDictionary[Any, Arguments] = weakref.WeakKeyDictionary()
# The types of DoFns without state, whose own methods Beam has searched.
_stateless: weakref.WeakSet[type] = weakref.WeakSet()
_views: weakref.WeakKeyDictionary[PipelineOptions, dict[type, Any]] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def one_worker() -> Iterator[None]:
    """Build pipelines in the block for a single worker, in this process."""
    _install()
    token = _ONE_WORKER.set(True)
    try:
        yield
    finally:
        _ONE_WORKER.reset(token)


@functools.cache
def _install() -> None:
    inspect = getattr(core, "get_function_args_defaults", None)
    if inspect is not None:
        core.get_function_args_defaults = functools.partial(_arguments, inspect)
    specs = getattr(userstate, "get_dofn_specs", None)
    if specs is not None:
        userstate.get_dofn_specs = functools.partial(_specs, specs)
    view_as = getattr(PipelineOptions, "view_as", None)
    if view_as is not None:
        PipelineOptions.view_as = lambda options, kind: _view(view_as, options, kind)
    fan_out = getattr(core.CombinePerKey, "with_hot_key_fanout", None)
    if fan_out is not None:
        core.CombinePerKey.with_hot_key_fanout = lambda combine, fanout: (
            combine if _ONE_WORKER.get() else fan_out(combine, fanout)
        )


def _arguments(inspect: Any, function: Any) -> Arguments:
    """Return the names of a function's arguments and their defaults; of methods, from memory."""
    if not isinstance(function, types.MethodType) or hasattr(function, "__wrapped__"):
        return inspect(function)
    found = _known.get(function.__func__)
    if found is None:
        found = _known[function.__func__] = inspect(function)
    names, defaults = found
    return list(names), list(defaults)


def _specs(search: Any, dofn: Any) -> Any:
    """Return a DoFn's state and timers; of a type that has none, from memory.

    Methods that an object has beside those of its type, or instead of them, are searched each time.
    """
    kind: Any = type(dofn)
    delegates = kind.__getattribute__ is not object.__getattribute__ or hasattr(kind, "__getattr__")
    if delegates or any(isinstance(value, types.MethodType) for value in vars(dofn).values()):
        return search(dofn)
    if kind in _stateless:
        return set(), set()
    found = search(dofn)
    if not any(found):
        _stateless.add(kind)
    return found


def _view(view_as: Any, options: PipelineOptions, kind: type) -> Any:
    """Return the same view each time; all views of options share the options' values."""
    views = _views.setdefault(options, {})
    if kind not in views:
        views[kind] = view_as(options, kind)
    return views[kind]
