"""Ingest of the same trips in each format, beside the ExampleGen that stock TFX has for it.

Run it as a program, in a separate process: `python -m benchmarks.formats SYSTEM FORMAT FILE WORK
RESULT`. SYSTEM is `ours` or `stock`, FILE the only file of its folder, WORK an empty folder; RESULT
receives an `IngestTime`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from benchmarks import measure
from benchmarks.format_files import FORMATS, write
from schemas import sources
from schemas.catalog import load
from schemas.strict import Strict

System = Literal["ours", "stock"]
_LACKING = ("jsonl",)  # formats that stock TFX does not read
_BEAM_ARGS = ["--runner=FnApiRunner", "--sdk_container_image=unused"]  # as in `stock_pipeline`
_HEAD = (
    "| format | ours, s | rows/s | rows/CPU s | stock, s | rows/s | stock / ours | ours, MB"
    " | stock, MB | load |"
)


class IngestTime(Strict):
    """How long reading, splitting and writing of all rows took, after all imports.

    Attributes:
      seconds: on the clock.
      cpu: CPU seconds of the process.
    """

    seconds: float
    cpu: float


class FormatRun(Strict):
    """A measurement of one system on one format.

    Attributes:
      format: the format.
      system: which system.
      rows: how many rows.
      time: how long it took.
      peak_process: the largest resident memory, in bytes.
      load: runnable processes on the machine when it started.
    """

    format: str
    system: System
    rows: int
    time: IngestTime
    peak_process: int
    load: float


def measured(rows: int, work: Path, *, say: Callable[[str], None]) -> list[FormatRun]:
    """Measure both systems on all formats, each in a fresh process.

    Args:
      rows: how many trips.
      work: where the files are written.
      say: receives a line after each measurement.

    Raises:
      RuntimeError: a system failed; has the end of its log.
    """
    runs = []
    for name in FORMATS:
        folder = work / name
        folder.mkdir(parents=True)
        path = write(name, rows, folder)
        for system in _systems(name):
            runs.append(_run(system, name, path, rows))
            say(f"{name} {system}: {runs[-1].time.seconds:.1f} s")
        path.unlink()
    return runs


def _systems(name: str) -> tuple[System, ...]:
    return ("ours",) if name in _LACKING else ("ours", "stock")


def _run(system: System, name: str, path: Path, rows: int) -> FormatRun:
    with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix=f"{system}-") as folder:
        log, result, root = Path(folder, "log"), Path(folder, "result.json"), Path(folder, "root")
        root.mkdir()
        command = [sys.executable, "-m", "benchmarks.formats", system, name]
        usage = measure.run([*command, str(path), str(root), str(result)], log=log)
        if usage.code:
            raise RuntimeError(f"{system} failed on {name}:\n{measure.last_lines(log)}")
        taken = IngestTime.model_validate_json(result.read_text(encoding="utf-8"))
    return FormatRun(
        format=name,
        system=system,
        rows=rows,
        time=taken,
        peak_process=usage.peak_process,
        load=usage.load,
    )


def lines(runs: list[FormatRun]) -> list[str]:
    """Return the table of the measurements, as Markdown."""
    by_key = {(run.format, run.system): run for run in runs}
    without = ", ".join(_LACKING)
    names = dict.fromkeys(run.format for run in runs)
    return [
        f"## Ingest of {runs[0].rows:,} trips by format",
        "",
        f"Reading, splitting and writing, without imports. Stock TFX has no reader of {without}.",
        "",
        _HEAD,
        "|---" * 10 + "|",
        *(_line(by_key[name, "ours"], by_key.get((name, "stock"))) for name in names),
    ]


def _line(ours: FormatRun, stock: FormatRun | None) -> str:
    seconds, rows = ours.time.seconds, ours.rows
    cells = [
        ours.format,
        f"{seconds:.1f}",
        f"{rows / seconds:,.0f}",
        f"{rows / ours.time.cpu:,.0f}",
    ]
    if stock is None:
        cells += ["", "", ""]
    else:
        its = stock.time.seconds
        cells += [f"{its:.1f}", f"{rows / its:,.0f}", f"{its / seconds:.1f}"]
    cells.append(f"{ours.peak_process / 1e6:,.0f}")
    cells.append("" if stock is None else f"{stock.peak_process / 1e6:,.0f}")
    cells.append(f"{max(run.load for run in (ours, stock) if run is not None):.1f}")
    return f"| {' | '.join(cells)} |"


def _ours(name: str, path: Path, root: Path) -> Callable[[], object]:
    """Return what ingests a file as `skewless run` does."""
    from components.ingest.ingest import ingest

    dataset = load("taxi")
    options = sources.loads(f'{{"format": "{name}", "path": "trips"}}')
    return lambda: ingest(
        source=options,
        paths=[str(path)],
        columns=dataset.columns,
        splits=dataset.spec.splits,
        label=dataset.spec.label,
        settings=dataset.spec.examples,
        output=str(root / "examples"),
    )


def _stock(name: str, path: Path, root: Path) -> Callable[[], object]:
    """Return what runs the ExampleGen of stock TFX on the folder of a file."""
    from tfx.orchestration import metadata
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner
    from tfx.orchestration.pipeline import Pipeline

    pipeline = Pipeline(
        pipeline_name="formats",
        pipeline_root=str(root / "pipeline"),
        components=[_example_gen(name, str(path.parent))],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(root / "metadata.sqlite")
        ),
        beam_pipeline_args=_BEAM_ARGS,
    )
    return lambda: LocalDagRunner().run(pipeline)


def _example_gen(name: str, folder: str) -> Any:
    from tfx.components import CsvExampleGen, FileBasedExampleGen, ImportExampleGen
    from tfx.components.example_gen.custom_executors import avro_executor, parquet_executor
    from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

    if name == "csv":
        return CsvExampleGen(input_base=folder)
    if name == "tfrecord":
        return ImportExampleGen(input_base=folder)
    executors = {"parquet": parquet_executor.Executor, "avro": avro_executor.Executor}
    return FileBasedExampleGen(
        input_base=folder, custom_executor_spec=BeamExecutorSpec(executors[name])
    )


def main(system: str, name: str, file: str, work: str, result: str) -> None:
    """Measure one system on one file."""
    prepare = _ours if system == "ours" else _stock
    ingest = prepare(name, Path(file), Path(work))
    began, cpu = time.monotonic(), time.process_time()
    ingest()
    taken = IngestTime(seconds=time.monotonic() - began, cpu=time.process_time() - cpu)
    Path(result).write_text(taken.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
