"""Artifacts of a run + its export → a proof that serving gives what training computed, or why not.

The function takes the examples, the transform graph, the trained models and the exported
SavedModel. It returns a `Proof` and writes it as parity.json. A serving path that cannot answer
(the export does not load, a process dies) is a failure of the proof, with its reason.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

from components import progress
from components.export import signatures as names
from components.export.export import read_layout
from components.parity.answers import Processes
from components.parity.boundaries import treatment_boundaries
from components.parity.judge import Judged, examine, proof_of
from components.parity.narrow import merged, narrower
from components.parity.proof import Proof
from components.parity.question_sets import QuestionSets
from components.parity.rows import Rows, make_rows
from schemas.columns import Column
from schemas.tasks.options import ExportOptions, TaskOptions

REAL_ROWS = 10_000
# Beyond so many columns fewer real rows are compared, by the square of the columns, but at least so
# many: the cost of a row grows with the columns, and so does that of a model with as many inputs.
_FULL_WIDTH = 100
_LEAST_REAL_ROWS = 500


def prove(
    *,
    examples: str,
    transform_graph_dir: str,
    trained_dir: str,
    saved_model: str,
    columns: tuple[Column, ...],
    label: TaskOptions,
    answers: ExportOptions,
    output: str,
    real_rows: int = REAL_ROWS,
) -> Proof:
    """Compare every serving path with transform-then-predict, and write parity.json.

    Args:
      examples: folder of raw examples; real rows come from the test split first, then eval, train.
      transform_graph_dir: TFT's output folder with layout.json.
      trained_dir: folder of the trained model and its baseline.
      saved_model: the exported SavedModel's folder.
      columns: the raw columns of schema.pbtxt.
      label: what the label is made from.
      answers: the options of what the task's signatures answer.
      output: folder that gets parity.json.
      real_rows: how many real rows to compare at most.
    """
    layout = read_layout(transform_graph_dir)
    serving = names.serving_columns(columns, layout)
    evaluation = names.evaluation_columns(columns, layout, label)

    def examined(rows: Rows, processes: Processes) -> tuple[list[Judged], float]:
        """Ask about rows, compute the reference meanwhile, and compare."""
        paths = processes.ask(QuestionSets.of(rows, serving, evaluation, names.methods(answers)))
        from components.parity.reference import transform_then_predict

        reference = transform_then_predict(
            rows.batch,
            evaluation,
            transform_graph=transform_graph_dir,
            trained=trained_dir,
            layout=layout,
            label=label,
            answers=answers,
        )
        return examine(paths, reference, rows), reference.rounding

    with _processes(saved_model) as processes:
        # They load the export while the questions are made.
        boundaries = treatment_boundaries(transform_graph_dir, layout)
        width = max(1.0, sum(max(1, column.most) for column in serving) / _FULL_WIDTH)
        most = min(real_rows, max(_LEAST_REAL_ROWS, int(REAL_ROWS / width**2)))
        rows = make_rows(examples, evaluation, serving, most, boundaries)
        first, rounding = examined(rows, processes)
    proof = proof_of(first, rows, rounding)
    narrow_rows = narrower(first, rows, evaluation)
    if narrow_rows is not None:
        with _processes(saved_model) as processes:
            again, _ = examined(narrow_rows, processes)
        proof = merged(first, rows, again, narrow_rows, rounding)
    proof.write(output)
    progress.rows("parity", len(rows.names))
    progress.note(
        "parity",
        serving_paths=len(proof.serving_paths),
        values_compared=sum(path.values for path in proof.serving_paths),
        values_differing=sum(path.differing for path in proof.serving_paths),
    )
    return proof


@contextlib.contextmanager
def _processes(saved_model: str) -> Iterator[Processes]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        yield Processes(saved_model, folder, stack)
