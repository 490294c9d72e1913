"""What Beam is spared in this process, and that it gives the same without."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import core, userstate

from components import lean_beam, runner

pytestmark = pytest.mark.component


def labels(pipeline):
    found = []

    class Visitor(beam.pipeline.PipelineVisitor):
        def visit_transform(self, applied):
            found.append(applied.full_label)

    pipeline.visit(Visitor())
    return found


def summed(pipeline):
    total = beam.CombineGlobally(sum).with_fanout(4)
    return pipeline | beam.Create([1, 2, 3], reshuffle=False) | "Total" >> total


def test_a_combine_in_this_process_has_no_fan_out_and_the_same_result():
    with runner.opened("any") as ours:
        assert_that(summed(ours), equal_to([6]))
    with beam.Pipeline(fn_runner.FnApiRunner()) as theirs:
        assert_that(summed(theirs), equal_to([6]))
    assert [label for label in labels(theirs) if "PreCombineFn" in label]
    assert not [label for label in labels(ours) if "PreCombineFn" in label]


class _Stateful(beam.DoFn):
    COUNT = beam.DoFn.StateParam(userstate.CombiningValueStateSpec("count", sum))

    def process(self, element, start, step=2, count=COUNT, *, more=3):
        yield element


def test_arguments_of_methods_are_those_that_beam_finds(monkeypatch):
    with lean_beam.one_worker():
        pass
    ours = core.get_function_args_defaults
    plain = ours.args[0]
    for method in (_Stateful().process, _Stateful().setup, beam.DoFn().process, _Stateful.process):
        first = ours(method)
        assert first == plain(method)
        first[0].append("changed")  # what a caller changes is its own
        assert ours(method) == plain(method)
    monkeypatch.setattr(lean_beam, "_known", {_Stateful.process: (["x"], [])})
    assert ours(_Stateful().process) == (["x"], [])


def test_state_is_found_in_a_type_and_in_an_object(monkeypatch):
    with lean_beam.one_worker():
        pass
    ours = userstate.get_dofn_specs
    searched = []
    search = ours.args[0]

    def watched(dofn):
        searched.append(dofn)
        return search(dofn)

    monkeypatch.setattr(userstate, "get_dofn_specs", lambda dofn: ours.func(watched, dofn))
    plain = core.CallableWrapperDoFn(lambda element, known=1: [element])
    of_method = core.CallableWrapperDoFn(_Stateful().process)
    for _ in range(2):
        assert userstate.get_dofn_specs(plain) == (set(), set())
        for dofn in (_Stateful(), of_method):
            assert userstate.get_dofn_specs(dofn) == ({_Stateful.COUNT.state_spec}, set())
    assert searched.count(plain) < 2
    assert searched.count(of_method) == 2


def test_views_of_options_are_made_once_and_share_values():
    with lean_beam.one_worker():
        pass
    options, other = PipelineOptions(["--runner=A"]), PipelineOptions(["--runner=B"])
    view = options.view_as(StandardOptions)
    assert options.view_as(StandardOptions) is view
    view.runner = "C"
    assert options.get_all_options()["runner"] == "C"
    assert view.view_as(StandardOptions).runner == "C"
    assert other.view_as(StandardOptions).runner == "B"
