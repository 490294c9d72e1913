"""What a command costs before it has read many rows, beside another commit.

`python -m benchmarks --only fixed` checks out the commit before, or the one that `--before` names,
and runs the same commands there and here in turns, on the 15,002 trips of the shipped taxi dataset.
Machines differ by a factor of two and more, so the ratios count: a change that gives back what was
gained shows in them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, ours, serving
from benchmarks.places import ROOT
from benchmarks.report import table
from pipeline.folders import Folders
from pipeline.source import paths_of
from pipeline.summary import FILE_NAME, Summary
from schemas.catalog import find_folder, load

_DATASET = "taxi"
_COMMAND = (sys.executable, "-m", "pipeline.cli")
_READY_SECONDS = 120.0
_CHANGED = {"dropout": 0.05}  # of the model

HELP, UNCHANGED, IMPORTS = "`--help`", "a run in which nothing changed", "imports of a run"
WHOLE, CHANGED = "a run of 15,002 trips", "the same with one changed model option"
TRANSFORM, PARITY = "its transform", "its parity"
PREDICT, READY = "`predict` of 15,002 trips", "`serve` until it is ready"


@dataclass(frozen=True)
class Cost:
    """The cost of one command or stage.

    Attributes:
      seconds: its duration.
      cpu: CPU seconds of its processes; None for a stage.
    """

    seconds: float
    cpu: float | None = None


@dataclass(frozen=True)
class Pair:
    """The costs of the same command at two commits, round by round."""

    before: Sequence[Cost]
    now: Sequence[Cost]


def measured(
    before: str, rounds: int, work: Path, say: Callable[[str], None]
) -> tuple[str, dict[str, Pair]]:
    """Return the abbreviated hash of a commit, and the costs of each command there and here.

    Args:
      before: the other commit, as Git names it.
      rounds: how often every command runs at each commit.
      work: an empty folder.
      say: gets what is not a figure.

    Raises:
      RuntimeError: a command failed; has the end of its output.
    """
    costs: dict[str, list[dict[str, Cost]]] = {"before": [], "now": []}
    with _checkout(before, work / "before") as (commit, other):
        for number in range(rounds):
            for name, tree in (("before", other), ("now", ROOT)):
                say(f"round {number + 1} of {rounds}, {commit if name == 'before' else 'here'} …")
                costs[name].append(_costs(tree, work / f"{name}-{number}"))
    pairs = {
        name: Pair(*([costs_of[name] for costs_of in costs[side]] for side in ("before", "now")))
        for name in costs["now"][0]
    }
    return commit, pairs


def lines(commit: str, pairs: Mapping[str, Pair]) -> list[str]:
    """Return the table: medians, and the median of the rounds' ratios."""
    head = ["", f"{commit}, s", "CPU s", "here, s", "CPU s", "before / here"]
    rows = []
    for name, pair in pairs.items():
        rounds = zip(pair.before, pair.now, strict=True)
        ratio = statistics.median(was.seconds / cost.seconds for was, cost in rounds)
        rows.append([name, *_medians(pair.before), *_medians(pair.now), f"{ratio:.2f}"])
    return ["## Fixed costs, beside the commit before", "", *table(head, rows)]


def _medians(costs: Sequence[Cost]) -> list[str]:
    cpu = [cost.cpu for cost in costs if cost.cpu is not None]
    seconds = statistics.median(cost.seconds for cost in costs)
    return [f"{seconds:.2f}", f"{statistics.median(cpu):.2f}" if cpu else ""]


@contextlib.contextmanager
def _checkout(commit: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Check a commit out beside this one; yield its abbreviated hash and the folder."""
    git = ("git", "-C", str(ROOT))
    parse = [*git, "rev-parse", "--short", f"{commit}^{{commit}}"]
    name = subprocess.run(parse, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(folder), name], check=True)
    try:
        yield name, folder
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(folder)], check=True)


def _costs(tree: Path, work: Path) -> dict[str, Cost]:
    """Run every command once with the code in a folder."""
    work.mkdir()
    output, run = work / "runs", ["run", _DATASET, "--output", str(work / "runs")]
    folders = Folders.of(output, _DATASET)
    help_ = _run(tree, ["--help"], work)
    whole = _run(tree, run, work)
    stages = _stages(folders)
    unchanged = _run(tree, run, work)
    predict = ["predict", str(output / _DATASET), _trips(), "-o", str(work / "scores")]
    predicted = _run(tree, predict, work)
    ready = _ready(tree, output / _DATASET, work)
    changed = _run(tree, ["run", str(_changed(tree, work)), *run[2:]], work)
    return {
        HELP: help_,
        UNCHANGED: unchanged,
        IMPORTS: stages["imports"],
        WHOLE: whole,
        TRANSFORM: stages["transform"],
        PARITY: stages["parity"],
        CHANGED: changed,
        PREDICT: predicted,
        READY: ready,
    }


def _run(tree: Path, arguments: Sequence[str], work: Path) -> Cost:
    log = work / "log"
    usage = measure.run([*_COMMAND, *arguments], log=log, folder=tree)
    if usage.code:
        raise RuntimeError(f"skewless {arguments[0]} failed:\n{measure.last_lines(log)}")
    return Cost(usage.seconds, usage.cpu)


def _stages(folders: Folders) -> dict[str, Cost]:
    """Return the stages of the only run."""
    (path,) = folders.runs.glob(f"*/{FILE_NAME}")
    summary = Summary.model_validate_json(path.read_text(encoding="utf-8"))
    return {stage.name: Cost(stage.seconds) for stage in summary.stages}


def _trips() -> str:
    (path,) = paths_of(load(_DATASET))
    return path


def _changed(tree: Path, work: Path) -> Path:
    """Write the dataset of that code with another model option."""
    shipped = tree / find_folder(_DATASET).relative_to(ROOT)
    return ours.write_dataset(work / "changed", {"model": _CHANGED}, shipped)


def _ready(tree: Path, run: Path, work: Path) -> Cost:
    """Start a server, and end it once it is ready."""
    port = serving.free_port()
    began = time.monotonic()
    with open(work / "log", "wb") as log:
        process = subprocess.Popen(
            [*_COMMAND, "serve", str(run), "--port", str(port), "--grpc-port", "0"],
            cwd=tree,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - began > _READY_SECONDS:
                raise RuntimeError(f"skewless serve failed:\n{measure.last_lines(work / 'log')}")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Cost(seconds, usage.ru_utime + usage.ru_stime)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False
