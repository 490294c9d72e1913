"""Scores files of rows into a file or folder, in one Beam pipeline; keeps rejected rows beside it.

Every row is scored or rejected with its reason. Rows keep the order of their file. The output
appears whole or not at all. Rows stay Arrow columns from the source to the output.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import PredictionResult
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import window

from components import progress
from components.ingest.failures import disk_errors, keep_failure, reserve
from components.ingest.outcome import outcome
from components.ingest.rejects import RejectWriter
from components.ingest.tally import IngestTally
from components.score.compare import Sums, difference
from components.score.inference import ScoreKeyedBatches
from components.score.model_handler import SavedModelHandler
from components.score.output import WRITTEN, ScoreOutput
from components.score.plan import ScoringPlan
from components.score.sinks import Sink, open_sink
from components.score.sources import read_rows
from components.score.tally import Scored, ScoredFile, ScoreTally
from schemas.columns import Column
from schemas.sources.options import SourceOptions

STAGE = "predict"


def predict(
    *,
    model: str,
    paths: Sequence[str],
    output: ScoreOutput,
    source: SourceOptions | None = None,
    keys: Sequence[str] = (),
    columns: Sequence[str] = (),
    compare_with: str | None = None,
    schema: Sequence[Column] = (),
    by_class: bool = False,
    options: PipelineOptions | None = None,
) -> Scored:
    """Score files of rows.

    Args:
      model: folder of the SavedModel.
      paths: files of rows, of the kinds that their endings mean; the output has their order.
      output: the location of the scores.
      source: the format of the files; None means CSV with commas, "" for missing.
      keys: columns of the files to copy to the output; none means each row's source and line.
      columns: outputs of the model to write, or columns of single classes; none means all outputs.
      compare_with: folder of another version's SavedModel to score with and to compare.
      schema: the columns of schema.pbtxt, which have the types of keys in a CSV file; another key
        has the model's type, or is text.
      by_class: whether Parquet has a column for each class instead of lists, as CSV has.
      options: Beam's options; None runs it in this process.

    Returns:
      The counts of rows, and the locations of the files.

    Raises:
      ConfigError: a column is not an output of the model, or has a key's name.
      DataError: a file is missing, unreadable or lacks a column; the output cannot be written.
      ModelError: there is no SavedModel, or two versions to compare have different columns.
    """
    plan = ScoringPlan.of(
        model, paths, output, source, keys, columns, compare_with, schema, by_class
    )
    with output.working_folder(options) as folder:
        with disk_errors(WRITTEN, output.path):
            reserve(folder)
        plan = replace(plan, folder=folder)
        tally = outcome(STAGE, "Predict" >> ScoreFiles(plan), folder, ScoreTally, options)
        by_reason = sorted(tally.read.rejected.items(), key=lambda item: (-item[1], item[0]))
        scored = Scored(
            model=model,
            signature=plan.signatures[0].signature,
            compared_with=compare_with,
            rows_read=tally.read.records_read,
            rows_scored=tally.scored,
            rows_rejected=sum(tally.read.rejected.values()),
            rejected_by_reason=dict(by_reason),
            comparison=tally.compared and tally.compared.comparison(plan.renamed),
            files=(),
            rejects=(),
        )
        scored.check()
        with disk_errors(WRITTEN, output.path):
            return output.publish(tally, scored, plan.schema, folder)


@dataclass(frozen=True)
class Carried:
    """The data that accompanies a batch through the models.

    Attributes:
      file: the file's position among the sources.
      number: the batch's position in the file.
      columns: the columns to copy to the output.
      scored: the results of the models that have scored the batch.
    """

    file: int
    number: int
    columns: pa.RecordBatch
    scored: tuple[PredictionResult, ...] = ()


class ScoreFiles(beam.PTransform):
    """Reads the plan's files, scores them and writes parts of the output into `plan.folder`.

    Returns one `ScoreTally`. All steps from reading to writing are fused into one stage, so that a
    batch is in memory only while it is processed.
    """

    def __init__(self, plan: ScoringPlan) -> None:
        super().__init__()
        self._plan = plan

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[ScoreTally]:
        """Build the steps."""
        plan = self._plan
        read = (
            pbegin
            | "Files" >> beam.Create(list(enumerate(plan.paths)), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_ReadFile(plan)).with_outputs("tallies", main="batches")
        )
        batches = read.batches
        for number, signature in enumerate(plan.signatures, start=1):
            batches = batches | f"Score{number}" >> ScoreKeyedBatches(
                SavedModelHandler(signature.saved_model, signature=signature.signature)
            )
        written = batches | "Write" >> beam.ParDo(_WriteParts(plan))
        return (
            (read.tallies, written)
            | "Tallies" >> beam.Flatten()
            | "Add" >> beam.CombineGlobally(ScoreTally.add)
        )

    def display_data(self) -> dict[str, int | str]:
        """Describe the job where a runner shows it."""
        return {"files": len(self._plan.paths), "model": self._plan.signatures[0].saved_model}


class _ReadFile(beam.DoFn):
    """Reads a source file into batches and a tally."""

    def __init__(self, plan: ScoringPlan) -> None:
        self._plan = plan
        self._read = Metrics.counter(STAGE, "records_read")
        self._rejected = Metrics.counter(STAGE, "records_rejected")

    def process(self, file: tuple[int, str]) -> Iterator[Any]:
        position, path = file
        read = IngestTally()
        folder = self._plan.folder
        with keep_failure(folder, "the rejected rows"), RejectWriter(folder) as rejects:
            for number, rows in enumerate(read_rows(path, self._plan.wanted)):
                rejects.write(rows.rejects)
                one = IngestTally(records_read=rows.read)
                read = IngestTally.add(
                    [read, one, IngestTally.of_rejects(rows.rejects, file=position)]
                )
                self._read.inc(rows.read)
                self._rejected.inc(len(rows.rejects))
                if rows.inputs.num_rows:
                    yield Carried(position, number, rows.carried), rows.inputs
        if rejects.path is not None:
            read = IngestTally.add([read, IngestTally(reject_files=((position, rejects.path),))])
        yield beam.pvalue.TaggedOutput("tallies", ScoreTally(read=read))


class _WriteParts(beam.DoFn):
    """Writes scored batches to files, one for each source in a bundle; returns a tally.

    Files have new names each time, so that the files of a failed attempt are never read.
    """

    def __init__(self, plan: ScoringPlan) -> None:
        self._plan = plan
        self._schema = plan.schema
        self._scored = Metrics.counter(STAGE, "records_scored")

    def start_bundle(self) -> None:
        """Begin with no file."""
        self._sink: Sink | None = None
        self._file = -1
        self._tally = ScoreTally()

    def process(self, batch: tuple[Carried, pa.RecordBatch]) -> None:
        """Write one batch."""
        carried, _ = batch
        with keep_failure(self._plan.folder, WRITTEN):
            if carried.file != self._file or self._sink is None:
                self._open(carried)
            assert self._sink is not None  # _open created it
            self._sink.write(self._row_batch(carried))
        rows = carried.columns.num_rows
        outputs = [result.inference for result in carried.scored]
        compared = None
        if len(outputs) == 2:
            compared = Sums.of(outputs[0], outputs[1], self._plan.renamed)
        self._tally = ScoreTally.add([self._tally, ScoreTally(scored=rows, compared=compared)])
        self._scored.inc(rows)
        progress.rows(STAGE, rows)

    def finish_bundle(self) -> Iterator[Any]:
        """Close the last file and return the tally."""
        if self._sink is not None:
            with keep_failure(self._plan.folder, WRITTEN):
                self._sink.close()
            self._sink = None
            yield window.GlobalWindows.windowed_value(self._tally)

    def teardown(self) -> None:
        """Close the file of a failed bundle, which is never read."""
        if self._sink is not None:
            self._sink.close()

    def _open(self, carried: Carried) -> None:
        if self._sink is not None:
            self._sink.close()
        path = os.path.join(self._plan.folder, f"{uuid.uuid4().hex}.part")
        self._sink = open_sink(path, self._plan.output.kind, self._schema)
        self._file = carried.file
        part = ScoredFile(file=carried.file, first=carried.number, path=path)
        self._tally = ScoreTally.add([self._tally, ScoreTally(parts=(part,))])

    def _row_batch(self, carried: Carried) -> pa.RecordBatch:
        """Put the columns of the output side by side."""
        columns = [*carried.columns.columns]
        for scored, signature in zip(carried.scored, self._plan.signatures, strict=True):
            columns += self._plan.written(scored.inference, signature).columns
        if len(carried.scored) == 2:
            columns.append(difference(*(result.inference for result in carried.scored)))
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)
