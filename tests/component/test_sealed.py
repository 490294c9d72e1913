"""The pickled functions of a pipeline begin with the versions that workers must have."""

import apache_beam as beam
import pytest
from apache_beam.internal import pickler
from apache_beam.portability.api import beam_runner_api_pb2 as protos
from google.protobuf import wrappers_pb2

from components import sealed

pytestmark = pytest.mark.component


def pickles(proto):
    """Return what workers unpickle to run a pipeline's steps, by the step's name."""
    found = {}
    for name, transform in sorted(proto.components.transforms.items()):
        payload = transform.spec.payload
        if transform.spec.urn == "beam:transform:pardo:v1":
            function = protos.ParDoPayload.FromString(payload).do_fn
            if "pickled" in function.urn:
                found[name] = function.payload
        elif ":combine_" in transform.spec.urn:
            function = protos.CombinePayload.FromString(payload).combine_fn
            found[name] = wrappers_pb2.BytesValue.FromString(function.payload).value
    return found


def test_steps_are_what_they_were_where_versions_are_alike_and_refused_elsewhere(monkeypatch):
    pipeline = sealed.SealedPipeline()
    _ = pipeline | beam.Create([1, 2]) | beam.Map(str) | beam.combiners.Count.PerElement()
    sent = pickles(pipeline.to_runner_api())
    plain = pickles(beam.Pipeline.to_runner_api(pipeline))
    assert len(sent) == len(plain) > 4
    for name, ours in sent.items():
        assert ours != plain[name]
        assert type(pickler.loads(ours)) is type(pickler.loads(plain[name]))
    monkeypatch.setattr(sealed, "INSTALLED", {**sealed.INSTALLED, "pyarrow": "1.0"})
    for ours in sent.values():
        loaded = pickler.loads(ours)
        function = loaded[0] if isinstance(loaded, tuple) else loaded
        with pytest.raises(sealed.VersionsError, match=r"command's: pyarrow is 1\.0, not \d"):
            function.setup()


class SealedByAnother(sealed.SealedPipeline):
    """A pipeline from a command with other versions."""

    def to_runner_api(self, *args, **kwargs):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sealed, "INSTALLED", {**sealed.INSTALLED, "pyarrow": "1.0"})
            return super().to_runner_api(*args, **kwargs)


@pytest.mark.parametrize(
    "step",
    [beam.Map(str), beam.combiners.Count.PerElement(), beam.GroupBy(lambda x: x)],
    ids=["a map", "a combination", "a group"],
)
def test_a_worker_of_other_versions_refuses_when_it_sets_a_step_up(step):
    pipeline = SealedByAnother("FnApiRunner")
    _ = pipeline | beam.Create([1, 2], reshuffle=False) | "Step" >> step
    with pytest.raises(
        Exception, match=r"versions are not the command's: pyarrow is \S+, not 1\.0"
    ):
        pipeline.run().wait_until_finish()
