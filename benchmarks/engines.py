"""The cost of the stages that read and write rows on Flink, compared with this process.

`python -m benchmarks.engines --rows 200000` starts a Flink cluster of one task manager and a pool
of workers on this machine, as tests/engines does, and prints seconds, CPU seconds (including engine
and workers) and rows a second: in this process, then with one task slot, then with two that share
an SDK worker or have one each. A run of a few rows comes first: a cluster in production has loaded
its classes long ago. Evaluate and predict use a model trained on the trips that the package ships.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import ours
from benchmarks.ours import write_dataset
from benchmarks.places import CACHE
from benchmarks.rows import taxi_csv
from components.compat import quiet_environment
from pipeline import engines, runners, source
from pipeline.runners import Choice
from schemas import catalog
from schemas.catalog import Dataset
from schemas.runners import Runner
from schemas.strict import Strict
from tests.engines import artifacts, pools, stages
from tests.engines.flink.cluster import FlinkCluster
from tests.engines.stages import Made

FILES = 8  # of a source: one worker reads a file
WARM_ROWS = 15_000
GIB = 1 << 30


class Times(Strict):
    """The cost of the stages at one place.

    Attributes:
      where: the place.
      rows: rows of the source.
      seconds: by stage.
      cpu: CPU seconds by stage, of this process and all that it has started.
      peak: the largest memory of this process so far, in bytes; without workers elsewhere.
    """

    where: str
    rows: int
    seconds: dict[str, float]
    cpu: dict[str, float]
    peak: int


@dataclass(frozen=True)
class Place:
    """Where stages run, with its name in the table."""

    name: str
    on: Choice


def measured(dataset: Dataset, rows: int, place: Place, model: str, work: Path) -> Times:
    """Run the stages one after the other at a place."""
    made = Made.below(work)
    steps: dict[str, Callable[[], None]] = {
        "ingest": lambda: stages.ingest(dataset, made),
        "statistics": lambda: stages.measure(dataset, made),
        "transform": lambda: stages.transform(dataset, made, made.examples),
        "evaluate": lambda: _evaluate(dataset, made, model, work),
        "predict": lambda: _predict(dataset, model, work),
    }
    seconds, cpu = {}, {}
    with engines.running(place.on, "benchmark"):
        for name, step in steps.items():
            began, used = time.monotonic(), _cpu_seconds()
            step()
            seconds[name], cpu[name] = time.monotonic() - began, _cpu_seconds() - used
    shutil.rmtree(work)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Times(where=place.name, rows=rows, seconds=seconds, cpu=cpu, peak=peak)


def _evaluate(dataset: Dataset, made: Made, model: str, work: Path) -> None:
    from components.evaluate.evaluate import evaluate

    evaluate(
        model=model,
        examples=str(made.examples),
        columns=dataset.columns,
        label=dataset.spec.label,
        evaluation=dataset.spec.evaluation,
        last_blessed=None,
        output=str(work / "evaluation"),
    )


def _predict(dataset: Dataset, model: str, work: Path) -> None:
    from components.score.batch import predict
    from components.score.output import ScoreOutput

    output = ScoreOutput.of(str(work / "scores.parquet"), None, overwrite=False)
    predict(model=model, paths=source.paths_of(dataset), output=output, source=dataset.spec.source)


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its running and ended children."""
    me, seconds = psutil.Process(), 0.0
    for one in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended after it was listed
            seconds += sum(one.cpu_times()[:4])
    return seconds


def table(all_times: Sequence[Times]) -> list[str]:
    """Return the lines of a table."""
    lines = [
        "Seconds, and behind them those of a processor.",
        "",
        f"| rows | where | {' | '.join(all_times[0].seconds)} | all | rows/s | command's memory |",
        f"|---:|---|{'---:|' * (len(all_times[0].seconds) + 3)}",
    ]
    for times in all_times:
        whole = sum(times.seconds.values())
        pairs = [*zip(times.seconds.values(), times.cpu.values(), strict=True)]
        each = [
            f"{wall:.1f} ({cpu:.1f})" for wall, cpu in (*pairs, (whole, sum(times.cpu.values())))
        ]
        lines.append(
            f"| {times.rows:,} | {times.where} | {' | '.join(each)} | {times.rows / whole:,.0f}"
            f" | {times.peak / GIB:.1f} GiB |"
        )
    return lines


def _model(work: Path) -> str:
    """Return the folder of a SavedModel from a whole run."""
    from tfx.utils import path_utils

    _, run = ours.measured(WARM_ROWS, work)
    return str(path_utils.serving_model_path(run.artifact("export", "exported")))


def dataset_of(rows: int, work: Path) -> Dataset:
    """Return the taxi dataset of that many rows, in several files."""
    source = _in_files(rows) / "*.csv"
    return catalog.load(
        str(write_dataset(work / f"rows-{rows}", {"source": {"path": str(source)}}))
    )


def _in_files(rows: int) -> Path:
    """Split the rows into files of equal size, each with the header; do it only once."""
    whole = taxi_csv(rows)
    folder = CACHE / f"{whole.stem}-in-{FILES}"
    if not folder.exists():
        partial = Path(tempfile.mkdtemp(dir=CACHE))
        with open(whole, "rb") as lines:
            header = next(lines)
            for number in range(FILES):
                with open(partial / f"{number}.csv", "wb") as file:
                    file.write(header)
                    for _ in range(rows * number // FILES, rows * (number + 1) // FILES):
                        file.write(next(lines))
        partial.rename(folder)
    return folder


@contextlib.contextmanager
def flink(work: Path, slots: Sequence[int]) -> Iterator[list[Place]]:
    """Start a cluster and a pool; yield a place for each number of slots, and of their workers."""
    with (
        FlinkCluster(work / "flink") as cluster,
        pools.running(work / "workers.log") as (address, _),
    ):
        own = [
            f"master={cluster.master}",
            "version=1.19",
            f"job_server_jar={artifacts.flink_job_server()}",
            f"workers.pool.address={address}",
        ]
        chosen = [(count, workers) for count in slots for workers in dict.fromkeys((1, count))]
        yield [
            Place(
                f"Flink, {_counted(count, 'slot')}, {_counted(workers, 'worker')}",
                runners.choose(
                    Runner(),
                    "flink",
                    [*own, f"parallelism={count}"],
                    [f"--sdk_worker_parallelism={workers}"],
                ),
            )
            for count, workers in chosen
        ]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"


def main() -> None:
    """Measure the stages that read and write rows, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=main.__doc__)
    parser.add_argument("--rows", type=int, action="append", help="of the source [200000]")
    parser.add_argument("--only", choices=("direct", "flink"), help="one of the two")
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2], help="of Flink's [1 2]")
    given = parser.parse_args()
    quiet_environment()
    CACHE.mkdir(parents=True, exist_ok=True)
    all_times = []
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, contextlib.ExitStack() as stack:
        work = Path(folder)
        places = [] if given.only == "flink" else [Place("direct", runners.choose(Runner()))]
        if given.only != "direct":
            places += stack.enter_context(flink(work, given.slots))
        model = _model(work)
        warm = dataset_of(WARM_ROWS, work)
        for place in places:
            measured(warm, WARM_ROWS, place, model, work / "made")
        for rows in given.rows or [200_000]:
            dataset = dataset_of(rows, work)
            for place in places:
                all_times.append(measured(dataset, rows, place, model, work / "made"))
                print("\n".join(table(all_times[-1:])[-1:]), flush=True)
    print("\n".join(["", *table(all_times)]))


if __name__ == "__main__":
    main()
