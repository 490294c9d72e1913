"""Reads what a split has to know of all rows before it can assign the first one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components import files
from components.ingest.failures import keep_failure, reserve
from components.ingest.outcome import outcome
from components.ingest.splits.protocol import Splitter, open_splitter, seen_by
from components.prepare.reading import PreparedReader
from components.sources.protocol import Part, Reader, Selection, open_reader
from schemas.columns import Column, with_inputs
from schemas.sources.options import SourceOptions
from schemas.splits.options import SplitOptions

STAGE = "ingest"


def look_ahead(
    source: SourceOptions,
    paths: Sequence[str],
    columns: Sequence[Column],
    splits: SplitOptions,
    folder: str,
    options: PipelineOptions | None,
    *,
    kept: PreparedReader | None = None,
) -> Splitter:
    """Return the splitter; if it needs to, it has seen its columns of all rows.

    Args:
      source: the kind and the format of the files.
      paths: the files.
      columns: of schema.pbtxt.
      splits: how rows are assigned to splits.
      folder: a working folder, which workers share.
      options: Beam's options; None runs it in this process.
      kept: reads the rows that `prepare` keeps; None if it keeps all.

    Raises:
      DataError: the rows cannot be split so.
    """
    splitter = open_splitter(splits)
    if not splitter.looks_at:
        return splitter
    kind = seen_by(splits)
    place = os.path.join(folder, "split")
    files.make_folder(place)
    reserve(place)
    reader: Reader[Any] | PreparedReader
    if kept is None:
        reader = open_reader(source, Selection(with_inputs(columns, splitter.looks_at)))
        whole = [part for path in paths for part in reader.parts(path)]
        parts = [each for part in whole for each in reader.ranges(part)]
    else:
        reader, parts = kept, list(kept.parts)
    look = "LookAhead" >> _Look(reader, parts, splits, place)
    return splitter.informed(outcome(STAGE, look, place, kind, options))


class _Look(beam.PTransform):
    """Reads parts, and returns one value of what a split needs to know."""

    def __init__(
        self,
        reader: Reader[Any] | PreparedReader,
        parts: Sequence[Part],
        splits: SplitOptions,
        folder: str,
    ) -> None:
        super().__init__()
        self._reader, self._parts, self._splits, self._folder = reader, parts, splits, folder

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[Any]:
        """Build the steps."""
        return (
            pbegin
            | "Files" >> beam.Create(list(self._parts), reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "See" >> beam.FlatMap(_seen, self._reader, self._splits, self._folder)
            | "Add" >> beam.CombineGlobally(seen_by(self._splits).add)
        )


def _seen(
    part: Part, reader: Reader[Any] | PreparedReader, splits: SplitOptions, folder: str
) -> Iterator[Any]:
    kind = seen_by(splits)
    with keep_failure(folder, "the examples"):
        seen = [kind.of(block.columns, splits) for block in reader.read(part)]
    yield kind.add(seen)
