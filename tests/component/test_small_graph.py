"""A pipeline that is sent to an engine has one Impulse, and gives the same results."""

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from components.small_graph import SmallGraphInProcess, SmallGraphRunner, share_impulse

pytestmark = pytest.mark.component
IMPULSE = "beam:transform:impulse:v1"


def build(pipeline):
    """Several Creates, a bare Impulse, a side input and a combine with a default."""
    numbers = pipeline | "Numbers" >> beam.Create([1, 2, 3], reshuffle=False)
    offset = pipeline | "Offset" >> beam.Create([10], reshuffle=False)
    sole = pipeline | beam.Impulse() | "Zero" >> beam.Map(len)
    moved = numbers | "Add" >> beam.Map(lambda n, by: n + by, beam.pvalue.AsSingleton(offset))
    total = moved | beam.CombineGlobally(sum)
    return (total, sole) | beam.Flatten()


def impulses(proto):
    transforms = proto.components.transforms
    return {name for name, one in transforms.items() if one.spec.urn == IMPULSE}


def leaves(proto):
    return {name for name, one in proto.components.transforms.items() if not one.subtransforms}


def test_one_impulse_is_left_and_nothing_refers_to_the_others():
    pipeline = beam.Pipeline()
    build(pipeline)
    proto = pipeline.to_runner_api()
    before, found = leaves(proto), impulses(proto)
    assert len(found) > 2
    share_impulse(proto)
    (kept,) = impulses(proto)
    assert leaves(proto) == before - (found - {kept})
    parts = proto.components
    assert kept in {name for one in parts.transforms.values() for name in one.subtransforms}
    for transform in parts.transforms.values():
        assert set(transform.subtransforms) <= set(parts.transforms)
        assert {*transform.inputs.values(), *transform.outputs.values()} <= set(parts.pcollections)
    once = proto.SerializeToString(deterministic=True)
    share_impulse(proto)
    assert proto.SerializeToString(deterministic=True) == once


def test_the_pipeline_gives_what_it_gave():
    options = beam.options.pipeline_options.PipelineOptions(
        ["--job_endpoint=embed", "--environment_type=beam:env:embedded_python:v1"]
    )
    with beam.Pipeline(SmallGraphRunner(), options=options) as pipeline:
        assert_that(build(pipeline), equal_to([36, 0]))


def test_the_pipeline_gives_what_it_gave_in_this_process(monkeypatch):
    seen = []
    real = SmallGraphInProcess.create_stages

    def create_stages(runner, proto):
        seen.append(len(impulses(proto)))
        return real(runner, proto)

    monkeypatch.setattr(SmallGraphInProcess, "create_stages", create_stages)
    with beam.Pipeline(SmallGraphInProcess()) as pipeline:
        assert_that(build(pipeline), equal_to([36, 0]))
    assert seen == [1]
