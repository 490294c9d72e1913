"""Reduces a pipeline to a single source, which fuses into far fewer steps.

Every `beam.Create` has its own Impulse, and TFT and TFDV have many of them: single elements to
count API uses with, to build graphs from, for combines without rows. An engine starts each as a
source followed by a chain of tasks: the taxi features' transform has 84 tasks for each slot, and 55
with one Impulse. In this process it has 16 steps instead of 23, of which each costs 20 ms. All
Impulses emit the same empty element, so one is enough, and its consumers fuse.
"""

from __future__ import annotations

from collections.abc import Container, MutableSequence

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import PipelineResult

_IMPULSE = common_urns.primitives.IMPULSE.urn


class SmallGraphRunner(PortableRunner):
    """Beam's client of job servers, with a single Impulse in each pipeline."""

    def run_portable_pipeline(
        self, pipeline: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> PipelineResult:
        """Send the pipeline; called by Beam."""
        share_impulse(pipeline)
        return super().run_portable_pipeline(pipeline, options)


class SmallGraphInProcess(FnApiRunner):
    """Beam's runner in this process, with a single Impulse in each pipeline."""

    def run_via_runner_api(
        self, pipeline_proto: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> PipelineResult:
        """Run the pipeline; called by Beam."""
        share_impulse(pipeline_proto)
        return super().run_via_runner_api(pipeline_proto, options)


def share_impulse(pipeline: beam_runner_api_pb2.Pipeline) -> None:
    """Connect all consumers of Impulses to the first Impulse; remove the others."""
    components = pipeline.components
    outputs = {
        name: next(iter(transform.outputs.values()))
        for name, transform in components.transforms.items()
        if transform.spec.urn == _IMPULSE
    }
    if len(outputs) < 2:
        return
    (_, kept), *others = sorted(outputs.items())
    removed = {output for _, output in others}
    for name, output in others:
        del components.transforms[name]
        del components.pcollections[output]
    _keep_known(pipeline.root_transform_ids, components.transforms)
    for transform in components.transforms.values():
        _keep_known(transform.subtransforms, components.transforms)
        for ends in (transform.inputs, transform.outputs):
            for tag in [tag for tag, name in ends.items() if name in removed]:
                ends[tag] = kept


def _keep_known(names: MutableSequence[str], known: Container[str]) -> None:
    names[:] = [name for name in names if name in known]
