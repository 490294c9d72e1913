"""Tables of figures that are readable as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.boosting import SCIKIT_LEARN
from benchmarks.feed import FeedRates
from benchmarks.measure import Measured
from benchmarks.quality import MAX_UNDER_TREES, Quality, spread, values_of
from benchmarks.serving import Rate
from benchmarks.stock_pipeline import BATCH_SIZE, IMPORTS, TRAIN_STEPS

MILLION = 1_000_000


class Job(NamedTuple):
    """A job that both pipelines do.

    Attributes:
      name: its name in a table.
      ours: our stages for it.
      stock: the stock components for it.
    """

    name: str
    ours: tuple[str, ...]
    stock: tuple[str, ...]


DATA = (
    Job("ingest", ("ingest",), ("CsvExampleGen",)),
    Job("statistics", ("statistics",), ("StatisticsGen",)),
    Job("validate", ("import_schema", "validate", "gate"), ("SchemaGen", "ExampleValidator")),
    Job("transform", ("transform",), ("Transform",)),
)
DATA_TOGETHER = Job(
    "ingest to transform",
    tuple(stage for job in DATA for stage in job.ours),
    tuple(stage for job in DATA for stage in job.stock),
)
JOBS = (
    Job("imports", (IMPORTS,), (IMPORTS,)),
    *DATA,
    Job("train", ("train",), ("Trainer",)),
    Job("export", ("export",), ()),
    Job("evaluate", ("evaluate",), ("Resolver", "Evaluator")),
    Job("explain", ("explain",), ()),
    Job("parity", ("parity",), ()),
    Job("push", ("push",), ("Pusher",)),
)


def seconds_of(run: Measured, stages: Sequence[str]) -> float:
    """Return the seconds that these stages took together."""
    return sum(stage.seconds for stage in run.stages if stage.name in stages)


def rows_of(run: Measured, stages: Sequence[str]) -> int:
    """Return the number of rows of these stages: the largest count of one of them."""
    return max((stage.rows for stage in run.stages if stage.name in stages), default=0)


def speed(ours: Measured | None, stock: Measured | None) -> list[str]:
    """Return the table for one number of rows; a side without measurements is blank."""
    known = ours or stock
    assert known is not None
    head = ["", "ours, s", "rows/s", "stock TFX, s", "rows/s", "stock / ours"]
    rows = [_job(job, ours, stock) for job in JOBS]
    both = (ours, stock)
    rows.append(_seconds("rest", *(_rest(run) if run else None for run in both)))
    rows.append(_seconds("**whole process**", *(run.seconds if run else None for run in both)))
    rows.append(_job(DATA_TOGETHER, ours, stock))
    rows.append(_memory("peak memory, largest process", ours, stock, "peak_process"))
    rows.append(_memory("peak memory, all together", ours, stock, "peak_together"))
    rows.append(_words("load before", *(f"{run.load:.1f}" if run else "" for run in both)))
    rows.append(_words("outcome", *(run.outcome if run else "" for run in both)))
    return [f"## {known.rows:,} rows", "", *table(head, rows)]


def marginal(less: Measured, more: Measured) -> list[str]:
    """Return the cost of each further million rows, from two runs of our pipeline."""
    millions = (more.rows - less.rows) / MILLION
    jobs = [*JOBS, DATA_TOGETHER]
    rows = [
        [job.name, f"{(seconds_of(more, job.ours) - seconds_of(less, job.ours)) / millions:.1f}"]
        for job in jobs
    ]
    rows.append(["**whole process**", f"{(more.seconds - less.seconds) / millions:.1f}"])
    rows.append(["peak memory, largest process", f"{_gb(more.peak_process)} at {more.rows:,} rows"])
    return [
        f"## Each further million rows, ours, from {less.rows:,} to {more.rows:,}",
        "",
        *table(["", "seconds"], rows),
    ]


def wide(run: Measured, columns: int, rate: Rate) -> list[str]:
    """Return what a table of many columns takes, and one row of it."""
    rows = [[job.name, f"{seconds_of(run, job.ours):.1f} s"] for job in JOBS]
    rows.append(["**whole process**", f"{run.seconds:.1f} s"])
    rows.append(["peak memory, largest process", _gb(run.peak_process)])
    rows.append(["load before", f"{run.load:.1f}"])
    rows.append(["outcome", run.outcome])
    rows.append(["a request of one row, p50", f"{rate.p50:.1f} ms"])
    return [f"## {run.rows:,} rows of {columns} columns", "", *table(["", "ours"], rows)]


def feed(rates: FeedRates) -> list[str]:
    """Return the table of the training feed."""
    rows = [
        ["Parquet to shuffled numpy batches", f"{rates.arrays:,.0f}"],
        ["the same, through tf.data into tensors", f"{rates.dataset:,.0f}"],
        ["the wide & deep model learning from them", f"{rates.fit:,.0f}"],
    ]
    title = f"## Training feed, {rates.examples:,} examples at batch {rates.batch_size:,}"
    return [title, "", *table(["", "examples/s"], rows)]


def quality(result: Quality) -> list[str]:
    """Return the model's metrics, and whether they reach the targets."""
    head = ["", "AUC", "PR-AUC", "log-loss", "accuracy"]
    names = ("auc", "pr_auc", "log_loss", "accuracy")
    rows = [
        [name, *(spread(values_of(metrics, m)) for m in names)]
        for name, metrics in (("wide & deep", result.model), ("logistic", result.logistic))
    ]
    rows += [
        [f"trees, {library}", *(f"{v:.4f}" for m in names for v in values_of([metrics], m))]
        for library, metrics in result.trees.items()
    ]
    trees = result.trees[SCIKIT_LEARN]
    rows_seen, seeds = trees["examples"], ", ".join(map(str, result.seeds))
    return [
        f"## Quality on the shipped taxi trips, {rows_seen:,} test rows",
        "",
        f"Mean over the seeds {seeds} (least to greatest); the trees have no seed.",
        "",
        *table(head, rows),
        "",
        f"- AUC above the logistic model's: {result.over_logistic:+.4f}: "
        + _verdict(result.over_logistic > 0),
        f"- AUC under scikit-learn's trees: {result.under_trees:+.4f}, "
        f"at most {MAX_UNDER_TREES}: " + _verdict(result.under_trees <= MAX_UNDER_TREES),
    ]


def notes() -> list[str]:
    """Return the notes that explain the tables."""
    return [
        f"- Stock TFX trains {TRAIN_STEPS:,} steps of {BATCH_SIZE} whatever the data; ours goes",
        "  over the training split until the eval split says stop: its rows are all epochs' rows.",
        "- Stock splits two to one and evaluates on the third; ours splits 70/15/15 and evaluates",
        "  on the test split.",
        "- Stock has no stage for export, which its Trainer does, and none for parity.",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table, padded to be readable as text, with figures on the right.

    >>> table(["", "s"], [["ingest", "1.0"]])
    ['|        |   s |', '|--------|----:|', '| ingest | 1.0 |']
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])])
    lines = [_padded(row, widths) for row in (head, *rows)]
    return [lines[0], f"|{rule}|", *lines[1:]]


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
    return f"| {' | '.join(cells)} |"


def _job(job: Job, ours: Measured | None, stock: Measured | None) -> list[str]:
    ours_seconds = seconds_of(ours, job.ours) if ours else None
    stock_seconds = seconds_of(stock, job.stock) if stock and job.stock else None
    row = _seconds(job.name, ours_seconds, stock_seconds)
    row[2] = _rate(ours, job.ours)
    row[4] = _rate(stock, job.stock)
    return row


def _seconds(name: str, ours: float | None, stock: float | None) -> list[str]:
    return [name, _one(ours), "", _one(stock), "", _ratio(ours, stock)]


def _memory(name: str, ours: Measured | None, stock: Measured | None, field: str) -> list[str]:
    mine, its = (int(getattr(run, field)) if run else None for run in (ours, stock))
    ratio = _ratio(mine, its)
    return [name, _gb(mine) if mine else "", "", _gb(its) if its else "", "", ratio]


def _words(name: str, ours: str, stock: str) -> list[str]:
    return [name, ours, "", stock, "", ""]


def _rest(run: Measured) -> float:
    """Return the time outside of stages: the interpreter's start, TFX's work, the process's end."""
    return run.seconds - sum(stage.seconds for stage in run.stages)


def _rate(run: Measured | None, stages: Sequence[str]) -> str:
    if run is None or not rows_of(run, stages):
        return ""
    return f"{rows_of(run, stages) / seconds_of(run, stages):,.0f}"


def _one(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def _ratio(ours: float | None, stock: float | None) -> str:
    # under a tenth of a second, the ratio would be noise
    if ours is None or stock is None or ours < 0.05:
        return ""
    return f"{stock / ours:.1f}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "NOT reached"
