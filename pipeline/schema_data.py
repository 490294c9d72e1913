"""The data that a schema.pbtxt is compared with: a run's statistics, or a table's first rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components import files
from pipeline import lineage
from pipeline.folders import Folders
from schemas.errors import ConfigError
from schemas.sources.options import FileOptions
from schemas.splits.options import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa

    from components.validate.measured import Measured
    from schemas.catalog import Dataset

_ROWS = 20_000  # of a table that are looked at, in whole blocks
_NOT_INTEGERS = ("not_an_integer", "integer_beyond_2_53")


@dataclass(frozen=True)
class Data:
    """What data hold, column by column.

    Attributes:
      title: which data they are, for a person.
      splits: the columns of each split.
      not_integers: the values that INT columns rejected, by column.
    """

    title: str
    splits: Sequence[Mapping[str, Measured]]
    not_integers: Mapping[str, Sequence[str]]


def of(dataset: Dataset, run: str | None, *, table: bool) -> Data:
    """Return the data of a run or of the table.

    Args:
      dataset: whose schema.pbtxt is compared.
      run: a pipeline's folder; None means the one below runs/, if it has a run.
      table: whether the table itself is looked at instead.

    Raises:
      ConfigError: the folder has no run with statistics.
      DataError: the table cannot be read.
    """
    if table:
        return _of_table(dataset)
    if run is not None:
        found = _of_run(run)
        if found is None:
            raise ConfigError(
                f"no run in {run} has statistics",
                expected="a pipeline's folder, such as runs/taxi, with a run in it",
                remedy=f"run the pipeline first: skewless run {dataset.spec.name}",
            )
        return found
    return _of_run(os.path.join("runs", dataset.spec.name)) or _of_table(dataset)


def new_columns(dataset: Dataset) -> Iterator[tuple[str, str, Sequence[str], str]]:
    """Yield the columns that schema.pbtxt leaves out: name, type, domain and a value.

    Raises:
      DataError: there is no file, or one cannot be read, or lacks a column.
    """
    from pipeline.show import parts_of

    parts = [part for _, part in parts_of(dataset)]
    ignored = sorted({name for part in parts for name in part.ignored if name})
    if not ignored:
        return
    from components.profile.types import typed
    from components.profile.values import ColumnValues
    from components.sources.protocol import work_of
    from pipeline.source import paths_of

    source = dataset.spec.source
    module = work_of(source.format)
    if isinstance(source, FileOptions):
        path = next(part.path for part in parts if part.ignored)
    else:
        (path,) = paths_of(dataset)
    rows, whole = module.sample(source, path, _ROWS)
    for name in ignored:
        if name not in rows.column_names:
            continue
        values = ColumnValues(name, rows[name].combine_chunks(), module.HAS_TYPES)
        column = typed(values, whole=whole)
        if column.nature != "other":
            shown = column.column.array.drop_null().slice(0, 1).to_pylist()
            yield name, column.kind, column.domain, repr(shown[0]) if shown else ""


def _of_run(run: str) -> Data | None:
    """Return the data of the newest run that has statistics; None if there is none."""
    folders = Folders.at(run)
    folders.fetch()
    if not folders.metadata.is_file():
        return None
    for run_id in reversed(files.names(os.path.join(folders.place, "runs"))):
        executions = lineage.read_run(folders.metadata, run_id)
        outputs = {n: e.outputs for n, e in executions.items()}
        measured = outputs.get("statistics", {}).get("statistics")
        examples = outputs.get("ingest", {}).get("examples")
        if measured and examples and files.exists(measured.uri):
            splits = [_of_split(measured.uri, split) for split in SPLITS]
            rejects = _not_integers(os.path.join(examples.uri, "rejects"))
            return Data(f"the data of run {run_id} in {run}", splits, rejects)
    return None


def _of_split(folder: str, split: str) -> dict[str, Measured]:
    from components.validate import measured, stored

    return measured.of_statistics(stored.load(folder, split).datasets[0])


def _not_integers(folder: str) -> dict[str, list[str]]:
    """Return the values that INT columns rejected, by column."""
    from components.arrow_files import read_parquet

    found: dict[str, list[str]] = {}
    for name in files.names(folder):
        columns = ("column", "reason", "value")
        rejects = read_parquet(os.path.join(folder, name), columns)
        for column, reason, value in zip(*(rejects[c].to_pylist() for c in columns), strict=True):
            _add(found, column, reason, value)
    return found


def _add(found: dict[str, list[str]], column: str, reason: str, value: str | None) -> None:
    if reason in _NOT_INTEGERS and value is not None:
        found.setdefault(column, []).append(value)


def _of_table(dataset: Dataset) -> Data:
    from components.validate import measured
    from pipeline.show import parts_of

    batches: list[pa.RecordBatch] = []
    rejected: dict[str, list[str]] = {}
    read = 0
    for reader, part in parts_of(dataset):
        for block in reader.read(part):
            read += block.read
            batches.append(block.columns)
            for reject in block.rejects:
                _add(rejected, reject.column or "", reject.reason.code, reject.value)
            if read >= _ROWS:
                break
        if read >= _ROWS:
            break
    names = [column.name for column in dataset.columns]
    columns = measured.of_batches(batches, names)
    return Data(f"the first {read:,} records of the table", [columns], rejected)
