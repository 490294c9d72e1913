"""A pipeline → the same for workers elsewhere, each step of which only those of our versions load.

Rows that travel between different versions fail in odd ways, or come out different. What our code
is pickled into is put into a pickle of its own with the command's versions before it: a worker,
however it was started, compares them with its own first, and refuses with the differences.

It refuses when it sets up what it has loaded, not while it loads: an engine that has sent a bundle
waits for the worker to open a channel for its rows, Flink for three minutes, and hears of no error
before. A worker opens it between the two.
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

INSTALLED = versions.installed()  # now: what is loaded stays, whatever is installed later

_PAR_DO = common_urns.primitives.PAR_DO.urn
_COMBINES = frozenset(
    {
        common_urns.composites.COMBINE_GLOBALLY.urn,
        common_urns.composites.COMBINE_PER_KEY.urn,
        common_urns.combine_components.COMBINE_GROUPED_VALUES.urn,
    }
)


class VersionsError(Exception):
    """A worker has other versions than the command."""


class SealedPipeline(beam.Pipeline):
    """A pipeline that is sealed whenever Beam makes of it what is sent."""

    def run(self, test_runner_api: bool | str = False) -> PipelineResult:
        """Run this pipeline: Beam would give Dataflow a plain one that it makes of it."""
        return super().run(test_runner_api)

    def to_runner_api(self, *args: Any, **kwargs: Any) -> Any:
        """Return what Beam makes of it, sealed; Beam calls this."""
        made = super().to_runner_api(*args, **kwargs)
        seal(made[0] if isinstance(made, tuple) else made)  # a context may come with it
        return made


def seal(pipeline: beam_runner_api_pb2.Pipeline) -> None:
    """Put the command's versions before each function that workers are to unpickle."""
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
    """What is pickled as a call of `unseal`."""

    def __init__(self, pickled: bytes, refusing: Callable[[str], object]) -> None:
        self._pickled = pickled
        self._refusing = refusing

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return unseal, (INSTALLED, self._pickled, self._refusing)


def unseal(wanted: Mapping[str, str], pickled: bytes, refusing: Callable[[str], object]) -> object:
    """Return what was pickled; a worker's unpickling calls this.

    Args:
      wanted: the command's versions.
      pickled: a step's function.
      refusing: makes what stands for it where other versions are installed.
    """
    if refusal := versions.refusal(wanted, INSTALLED):
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
        """Do nothing: it is never set up."""


class RefusingCombineFn(beam.CombineFn):
    """Raises `VersionsError` when a worker sets it up."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal

    def setup(self, *args: object, **kwargs: object) -> None:
        """Refuse."""
        raise VersionsError(self._refusal)


def _refusing_do_fn(refusal: str) -> object:
    """Return what Beam pickles of a DoFn: with arguments, side inputs, and windows of its input."""
    return RefusingDoFn(refusal), (), {}, [], None
