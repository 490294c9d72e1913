"""Seals a pipeline for workers elsewhere: only workers with our versions load its steps.

Rows that travel between different versions fail in odd ways, or change. A pickled function of ours
is wrapped in another pickle with the command's versions. Any worker, however it was started, first
compares them with its own, and refuses with the differences.

It refuses when it sets up what it has loaded, not while it loads: an engine that has sent a bundle
waits for the worker to open a channel for its rows, Flink for three minutes, and receives no error
before that. A worker opens it between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.internal import pickler
from apache_beam.portability import common_urns, python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.runner import PipelineResult
from google.protobuf import wrappers_pb2

from components import versions

INSTALLED = versions.installed()  # now, because later installations do not affect loaded modules

_PAR_DO = common_urns.primitives.PAR_DO.urn
_COMBINES = frozenset(
    {
        common_urns.composites.COMBINE_GLOBALLY.urn,
        common_urns.composites.COMBINE_PER_KEY.urn,
        common_urns.combine_components.COMBINE_GROUPED_VALUES.urn,
    }
)


class VersionsError(Exception):
    """The versions of a worker differ from the command's."""


class SealedPipeline(beam.Pipeline):
    """A pipeline that is sealed whenever Beam converts it for sending."""

    def run(self, test_runner_api: bool | str = False) -> PipelineResult:
        """Run this pipeline; for Dataflow, Beam would otherwise send a plain copy."""
        return super().run(test_runner_api)

    def to_runner_api(self, *args: Any, **kwargs: Any) -> Any:
        """Return Beam's conversion, sealed; called by Beam."""
        made = super().to_runner_api(*args, **kwargs)
        seal(made[0] if isinstance(made, tuple) else made)  # a context may follow
        return made


def seal(pipeline: beam_runner_api_pb2.Pipeline) -> None:
    """Put the command's versions before each function that workers unpickle."""
    for transform in pipeline.components.transforms.values():
        spec = transform.spec
        if spec.urn == _PAR_DO:
            par_do = beam_runner_api_pb2.ParDoPayload.FromString(spec.payload)
            if par_do.do_fn.urn == python_urns.PICKLED_DOFN_INFO:
                par_do.do_fn.payload = _sealed(par_do.do_fn.payload, _refusing_do_fn)
                spec.payload = par_do.SerializeToString()
        elif spec.urn in _COMBINES:
            combine = beam_runner_api_pb2.CombinePayload.FromString(spec.payload)
            if combine.combine_fn.urn == python_urns.PICKLED_COMBINE_FN:
                pickled = wrappers_pb2.BytesValue.FromString(combine.combine_fn.payload)
                pickled.value = _sealed(pickled.value, RefusingCombineFn)
                combine.combine_fn.payload = pickled.SerializeToString()
                spec.payload = combine.SerializeToString()


def _sealed(pickled: bytes, refusing: Callable[[str], object]) -> bytes:
    return pickler.dumps(_Sealed(pickled, refusing))


class _Sealed:
    """Pickled as a call of `unseal`."""

    def __init__(self, pickled: bytes, refusing: Callable[[str], object]) -> None:
        self._pickled = pickled
        self._refusing = refusing

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return unseal, (INSTALLED, self._pickled, self._refusing)


def unseal(
    expected: Mapping[str, str], pickled: bytes, refusing: Callable[[str], object]
) -> object:
    """Return the unpickled function; called when a worker unpickles it.

    Args:
      expected: the command's versions.
      pickled: a step's function.
      refusing: creates the replacement if other versions are installed.
    """
    if refusal := versions.refusal(expected, INSTALLED):
        return refusing(refusal)
    return pickler.loads(pickled)


class RefusingDoFn(beam.DoFn):
    """Raises `VersionsError` when a worker sets it up."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal

    def setup(self) -> None:
        """Refuse."""
        raise VersionsError(self._refusal)

    def process(self, element: object) -> None:
        """Do nothing: setup raises before any element comes."""


class RefusingCombineFn(beam.CombineFn):
    """Raises `VersionsError` when a worker sets it up."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal

    def setup(self, *args: object, **kwargs: object) -> None:
        """Refuse."""
        raise VersionsError(self._refusal)


def _refusing_do_fn(refusal: str) -> object:
    """Return what Beam pickles for a DoFn: with arguments, side inputs, and input windows."""
    return RefusingDoFn(refusal), (), {}, [], None
