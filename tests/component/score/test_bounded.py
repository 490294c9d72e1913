"""A pipeline that runs for one batch after another."""

import gc
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.filesystem import FileMetadata
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.shared import _SharedControlBlock

from components.score import model_handler
from components.score.bounded import BoundedPipeline
from components.score.columns import read_signature
from components.score.counts import READ, SCORED, count
from components.score.model_handler import SavedModelHandler
from components.score.new_files import ScoreFoundFiles, WriteScoredFiles
from components.score.scorer import Scorer
from components.score.sources import Wanted
from schemas.errors import ConfigError, DataError
from schemas.sources.csv import Csv

pytestmark = pytest.mark.component


def test_each_run_has_its_own_batch_with_event_times_and_counts():
    def see(element, time=beam.DoFn.TimestampParam):
        count(f"{element} at {float(time)}", 1)

    pipeline = BoundedPipeline(lambda numbers: numbers | beam.Map(see))
    batch = [TimestampedValue(1, 10), TimestampedValue(2, 5)]
    assert pipeline.run(batch) == {"1 at 10.0": 1, "2 at 5.0": 1}
    assert pipeline.run([TimestampedValue(4, 7)]) == {"4 at 7.0": 1}


def test_what_a_step_raises_on_purpose_is_raised_as_it_was_and_the_next_batch_runs():
    def refuse(number):
        if number == 1:
            raise DataError("the disk is full", where="out", remedy="make room")

    pipeline = BoundedPipeline(lambda numbers: numbers | beam.Map(refuse))
    with pytest.raises(DataError) as caught:
        pipeline.run([1])
    assert (caught.value.what, caught.value.where, caught.value.remedy) == (
        "the disk is full",
        "out",
        "make room",
    )
    assert pipeline.run([2]) == {}


def test_options_that_would_have_no_effect_are_refused():
    for option in ("--direct_num_workers=2", "--direct_running_mode=multi_processing"):
        with pytest.raises(ConfigError, match="has one worker"):
            BoundedPipeline(lambda numbers: numbers | beam.Map(print), PipelineOptions([option]))


def test_runs_share_a_model_and_leave_no_handles_behind(exported, csv_file, tmp_path, monkeypatch):
    loads: list[tuple[Any, ...]] = []

    def load(*arguments):
        loads.append(arguments)
        return Scorer(*arguments)

    monkeypatch.setattr(model_handler, "Scorer", load)
    wanted = Wanted(read_signature(exported.saved_model).inputs, ("id",), Csv(path=""))
    score = ScoreFoundFiles(SavedModelHandler(exported.saved_model), wanted)
    pipeline = BoundedPipeline(
        lambda found: (found | score).scored | WriteScoredFiles(str(tmp_path / "out"), "csv")
    )
    batch = [FileMetadata(str(csv_file), 1, 1.0)]

    def handles_after(runs):
        for _ in range(runs):
            assert pipeline.run(batch) == {READ: 40, SCORED: 40}
        gc.collect()
        return sum(isinstance(each, _SharedControlBlock) for each in gc.get_objects())

    handles = handles_after(2)
    more_handles = handles_after(10)
    assert len(loads) == 1
    # RunInference leaves one in Beam's map for each setup, which keeps the last ones alive; a leak
    # leaves one for each of the ten runs
    assert more_handles < handles + 5
