"""Runs a dataset through the whole DAG, with progress on the screen and a summary at the end.

The logs of TensorFlow, TFX and Beam go to runs/<run_id>/run.log.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components import files, lean_imports, progress, stores
from components.compat import quiet_environment
from pipeline import (
    dag,
    digest_cache,
    engines,
    lineage,
    logs,
    recorded_runs,
    runners,
    source,
    spans,
    summary_text,
    unchanged,
)
from pipeline.board import Board
from pipeline.configuration import Configuration
from pipeline.console import IMPORTS, Reporter, Screen, Silent, open_screen
from pipeline.digest_cache import DigestCache
from pipeline.endings import InterruptedRunError, interrupted_by, noticing_interrupts, unexpected
from pipeline.folders import Folders, new_run_id
from pipeline.lineage import Execution
from pipeline.locks import Check, locked
from pipeline.runners import Choice
from pipeline.seals import Seals
from pipeline.shortages import noticing_shortages
from pipeline.stage_choice import WHOLE, StageChoice
from pipeline.summary import Failure, Status, Summary, figures, refusal, stage_summaries
from pipeline.temporary import own_folder
from pipeline.unchanged import LastRun, Same
from schemas.catalog import Dataset
from schemas.errors import ModelError, SkewlessError


def run(
    dataset: Dataset,
    *,
    output: str = "runs",
    allow_anomalies: bool = False,
    verbose: bool = False,
    on: Choice | None = None,
    chosen: str | None = None,
    stages: StageChoice = WHOLE,
    command: str | None = None,
    quiet: bool = False,
) -> Summary:
    """Run a dataset's DAG, show its progress on standard output and keep its summary.

    Args:
      dataset: the dataset to run.
      output: the folder that holds a folder for each pipeline.
      allow_anomalies: continue if the gate would stop the run.
      verbose: show the traceback of a failure, which run.log has in any case.
      on: the runner of the stages that read and write rows; None follows pipeline.yaml.
      chosen: the spans to read, such as "last 7", where the source has spans; None follows
        pipeline.yaml.
      stages: the first stage to execute again, and the last one.
      command: the command line, for the run's report; None if there is none.
      quiet: show nothing; the summary and the log are written in any case.

    Returns:
      The summary, as in runs/<run_id>/summary.json.

    Raises:
      SkewlessError: the run failed, or its model is not blessed or not proven. The summary is
        written nevertheless.
    """
    began = time.monotonic()
    dataset = spans.resolved(dataset, chosen)
    stages.check(dag.nodes(dataset))
    dag.check_source(dataset)  # reports a wrong path or header at once
    on = on or runners.choose(dataset.spec.runner)
    sources, folders = source.files_of(dataset), Folders.of(output, dataset.spec.name)
    folders.check_apart(sources)
    engines.check(on, [*sources, output])
    job = Job(dataset, folders, new_run_id(), allow_anomalies, on, stages, command)
    if job.folders.store is not None:
        stores.check_writable(job.folders.store)
    quiet_environment()
    with contextlib.ExitStack() as stack:
        stack.enter_context(noticing_shortages("the run failed", str(job.folders.root)))
        is_ours = stack.enter_context(locked(job.folders, job.run_id))
        stack.enter_context(own_folder())
        job.folders.fetch()
        lineage.check(job.folders.metadata)
        job.own.mkdir(parents=True)
        Configuration.of(dataset).write(str(job.own))
        terminal = stack.enter_context(logs.captured(job.log))
        screen: Screen = Silent() if quiet else open_screen(terminal)
        screen.line(f"{dataset.spec.name}: run {job.run_id} in {job.folders.place}", "bold")
        if dataset.spec.source.read_always:
            screen.line(f"note: {dataset.spec.source.read_always}")
        if dataset.spans:
            screen.line(f"spans {spans.in_words(dataset)}")
        with Reporter((IMPORTS, *job.nodes), screen) as reporter:
            error = _attempt(job, reporter)
        summary, error = _concluded(job, reporter.board, error, time.monotonic() - began)
        unsent = _sent(job, is_ours)
        error = error or unsent
        for line in summary_text.lines(summary):
            screen.line(*line)
        if error is not None and verbose:
            screen.line("".join(traceback.format_exception(error.__cause__ or error)))
    if error is not None:
        raise error
    return summary


def _concluded(
    job: Job, board: Board, error: SkewlessError | None, seconds: float
) -> tuple[Summary, SkewlessError | None]:
    """Summarize the run and keep the summary; return it, and the error to raise.

    Raises:
      SkewlessError: there is no room for the summary; the error is the one that ended the run.
    """
    try:
        summary, concluded = summarize(job, board, error, seconds)
        summary.write(job.own)
        _write_report(job, summary)
    except Exception:
        if error is not None:
            raise error  # noqa: B904  # it says more than the reason that this failed
        raise
    return summary, concluded


def _sent(job: Job, is_ours: Check) -> SkewlessError | None:
    """Copy the run's records to the store; return the error if that fails."""
    try:
        is_ours()
        job.folders.send(job.run_id)
    except SkewlessError as error:
        return error
    return None


@dataclass(frozen=True)
class Job:
    """A run: its dataset, options and folders."""

    dataset: Dataset
    folders: Folders
    run_id: str
    allow_anomalies: bool
    on: Choice
    stages: StageChoice = WHOLE
    command: str | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes of the run, in the order they run."""
        return self.stages.of_run(dag.nodes(self.dataset))

    @property
    def own(self) -> Path:
        """The run's own folder."""
        return self.folders.runs / self.run_id

    @property
    def log(self) -> Path:
        """The log of the libraries."""
        return self.own / "run.log"


def summarize(
    job: Job, board: Board, error: SkewlessError | None, seconds: float
) -> tuple[Summary, SkewlessError | None]:
    """Return the summary of a run, and the error to end it with.

    Args:
      job: the run.
      board: what its stages reported.
      error: the error that ended the DAG; None if it finished. A model that is then not blessed
        or not proven gives an error of its own.
      seconds: the duration.
    """
    spec, metadata = job.dataset.spec, job.folders.metadata
    executions = lineage.read_run(metadata, job.run_id) if metadata.exists() else {}
    fields = figures(executions, job.folders.serving, spec.name)
    error = error or refusal(fields)
    page = _write_data_page(job, executions)
    if error is not None:
        at = board.failed or board.running
        fields["status"] = _STATUS.get(type(error), "failed")
        fields["error"] = Failure.of(error, at.name if at else None)
    elif job.stages.until is not None:
        fields.setdefault("status", "partial")
    summary = Summary(
        pipeline=spec.name,
        run_id=job.run_id,
        seconds=round(seconds, 3),
        stages=stage_summaries(board.stages.values()),
        anomalies_allowed=job.allow_anomalies,
        log=str(job.log),
        data_page=page,
        report=_report_of(job, board),
        command=job.command,
        **fields,
    )
    return summary, error


def _report_of(job: Job, board: Board) -> str | None:
    """Return the path of the run's report; of a run that computed nothing, the earlier one's."""
    from pipeline.report import run_page

    if IMPORTS not in board.stages:
        for earlier in recorded_runs.before(job.folders, job.run_id):
            kept = earlier.summary and earlier.summary.report
            return kept if kept and files.is_file(kept) else None
    return str(job.own / run_page.FILE_NAME)


def _write_report(job: Job, summary: Summary) -> None:
    """Write the run's own report, unless an earlier one is kept."""
    from pipeline.report import run_page
    from pipeline.report.record import Record

    path = str(job.own / run_page.FILE_NAME)
    if summary.report == path:
        metadata = job.folders.metadata
        executions = lineage.read_run(metadata, job.run_id) if metadata.exists() else {}
        configuration = Configuration.of(job.dataset)
        run_page.write(path, Record(job.folders, summary, executions, configuration))


def _write_data_page(job: Job, executions: Mapping[str, Execution]) -> str | None:
    """Write the page about the data into the run's folder; return its path, if there is one."""
    from pipeline.report import data, page

    sources = data.Sources.of(executions)
    if sources is None:
        return None
    path = str(job.own / page.FILE_NAME)
    page.write(path, sources, pipeline=job.dataset.spec.name, run_id=job.run_id)
    return path


_STATUS: Mapping[type[SkewlessError], Status] = {
    InterruptedRunError: "interrupted",
    ModelError: "refused",
}


def _attempt(job: Job, reporter: Reporter) -> SkewlessError | None:
    """Run the DAG; return a readable error, or None if it finished."""
    log = logging.getLogger(__name__)
    with noticing_interrupts() as interrupted:
        try:
            _run_dag(job, reporter, interrupted.check)
        except SkewlessError as error:
            log.exception("refused")
            return error
        except (Exception, KeyboardInterrupt) as error:  # from any library
            log.exception("ended early")
            if interrupted or isinstance(error, KeyboardInterrupt):
                at = reporter.board.failed
                return interrupted_by(
                    error, at.name if at else None, "run again to go on from there"
                )
            return unexpected(error, reporter.board, job.log)
    return None


def _run_dag(job: Job, reporter: Reporter, check: Callable[[], None]) -> None:
    with digest_cache.opened(job.folders.digests) as known:
        digest = _digest(job, known)
        sealing = Seals(job.folders.artifacts, known)
        same = None
        if digest is not None and job.stages == WHOLE:
            same = unchanged.since(job.folders, digest, sealing, dag.nodes(job.dataset))
        if same is not None:
            _repeat(job, same, reporter.board)
        else:
            unchanged.forget(job.folders)
            _run_nodes(job, known, check)
    reporter.finish()
    executions = _check_against_metadata(job, reporter.board)
    pushed = "push" in executions and executions["push"].outputs["pushed"].properties["pushed"]
    if same is None and digest is not None and pushed:
        LastRun(job.run_id, digest).write(job.folders)


def _digest(job: Job, known: DigestCache) -> str | None:
    """Return a digest of all that the stages depend on; None if it cannot be known from here.

    With an engine or a store, every stage is checked.
    """
    if job.on.name != "direct" or job.on.beam or job.folders.store is not None:
        return None
    return unchanged.digest_of(job.dataset, job.folders, known, allow_anomalies=job.allow_anomalies)


def _repeat(job: Job, same: Same, board: Board) -> None:
    """Report and record that every output is used again, as TFX would."""
    logging.getLogger(__name__).info("nothing has changed since the run %s", same.run_id)
    board.leave_out(IMPORTS)
    with progress.stage("push"):
        lineage.repeat(job.folders.metadata, same.run_id, job.run_id, anew="push", new=0)
        progress.note("push", **same.pushed, new=0)


def _run_nodes(job: Job, known: DigestCache, check: Callable[[], None]) -> None:
    with progress.stage(IMPORTS), _uncollected():
        lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)
        from pipeline import orchestrators

        pipeline = dag.build(
            job.dataset,
            job.folders,
            known,
            run_id=job.run_id,
            allow_anomalies=job.allow_anomalies,
        )
        lineage.tidy(job.folders.metadata, job.folders.artifacts)
    with engines.running(job.on, f"{job.dataset.spec.name}-{job.run_id}"):
        orchestrators.run_local(
            pipeline,
            job.run_id,
            Seals(job.folders.artifacts, known),
            check,
            nodes=job.nodes,
            again=job.stages.again(dag.nodes(job.dataset)),
        )


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Suspend the garbage collector during imports: they create a million objects, none garbage.

    This saves a third of the import time, and the collector does not scan the objects later.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _check_against_metadata(job: Job, board: Board) -> dict[str, Execution]:
    """Check that the screen's state of each stage is the one in ML Metadata; return the latter.

    TFX skips a node whose inputs it does not find, and reports that only in the log.
    """
    expected = {"done": "COMPLETE", "cached": "CACHED"}
    executions = lineage.read_run(job.folders.metadata, job.run_id)
    for node in job.nodes:
        shown = board.stages[node].state
        recorded = executions[node].state if node in executions else "never started"
        if recorded != expected[shown]:
            raise RuntimeError(f"{node} is shown as {shown}, but ML Metadata has it as {recorded}")
    return executions
