"""Rows with many changes that differ are split up until their culprits are named."""

import numpy as np
import pytest

from components.examples import as_raw_columns
from components.parity.answers import PathAnswers
from components.parity.changes import changed_rows
from components.parity.judge import examine, judge
from components.parity.narrow import merged, narrower
from components.parity.processes import NoAnswerError
from components.parity.proof import describe
from components.parity.questions import Question, Reference
from components.parity.rows import Rows, rows_of
from components.tasks.protocol import LOGIT, PROBABILITY, Decision
from tests.unit.components.parity.wide import columns_of, table

CLASSES = np.array([b"no", b"yes"], object)


def rows_for(columns) -> Rows:
    real = table(columns)
    return rows_of(real.slice(0, 4), columns, changed_rows(real, columns, {}))


def reference_of(rows) -> Reference:
    """The results of a model with two features: how many values are present, and one column."""
    count = len(rows.names)
    present = sum(np.asarray(c.is_valid()).astype(np.int64) for c in rows.batch.columns)
    logits = np.linspace(-2, 2, count).astype(np.float32)
    scores = 1 / (1 + np.exp(-logits))
    return Reference(
        features={"present": present},
        label=np.zeros(count, np.int64),
        answers={
            "predict": {
                "score": scores,
                "class": CLASSES[(scores >= 0.5).astype(int)],
                "probabilities": np.stack([1 - scores, scores], axis=1),
                "logits": logits,
            }
        },
        baseline_scores=scores,
        tolerances={"score": PROBABILITY, "probabilities": PROBABILITY, "logits": LOGIT},
        decisions={"class": Decision("score", lambda s: CLASSES[(s >= 0.5).astype(int)])},
    )


def answers_of(rows, columns, reference, fault, required=()):
    """Return the expected answers, except where `fault` returns True for the raw columns."""
    raw = as_raw_columns(rows.batch, columns)
    wrong = fault(raw)
    right = reference.answers["predict"]
    others = CLASSES[(right["class"] == CLASSES[0]).astype(int)]
    answer = {
        **right,
        "score": np.where(wrong, right["score"] / 2, right["score"]),
        "class": np.where(wrong, others, right["class"]),
    }
    everything = Question("predict", "predict", raw, slice(0, len(rows.names)))
    asked = [everything]
    answers = {"predict": answer}
    for names, at in rows.without.items():
        name = f"predict without {names}"
        feeds = {k: v[at] for k, v in raw.items() if k not in names}
        asked.append(Question(name, "predict", feeds, at, leaves_out=names))
        answers[name] = left_out(required, names, {k: v[at] for k, v in answer.items()}, wrong[at])
    return PathAnswers("made up", "", asked, lambda: answers)


def left_out(required, names, answer, wrong):
    if set(names) & set(required):
        return NoAnswerError(f"{sorted(required)} must be given")
    return answer


def prove(columns, fault, required=()):
    """Return the proof of the first round, and the one in which culprits are named."""
    rows = rows_for(columns)
    reference = reference_of(rows)
    found = examine([answers_of(rows, columns, reference, fault, required)], reference, rows)
    first = judge([answers_of(rows, columns, reference, fault, required)], reference, rows)
    narrow_rows = narrower(found, rows, columns)
    if narrow_rows is None:
        return first, None
    again = reference_of(narrow_rows)
    judged = examine([answers_of(narrow_rows, columns, again, fault, required)], again, narrow_rows)
    return first, merged(found, rows, judged, narrow_rows, reference.rounding)


def named(proof):
    return {difference.row for difference in proof.differences}


def gone(raw, name):
    return np.isnan(raw[name]) if raw[name].dtype != object else raw[name] == b""


@pytest.mark.parametrize(("count", "one", "two"), [(40, "c003", "c019"), (500, "c017", "c401")])
def test_a_fault_of_two_columns_missing_together_is_named_by_both(count, one, two):
    columns = columns_of(count)
    first, proof = prove(columns, lambda raw: gone(raw, one) & gone(raw, two))

    assert not first.proven
    assert not proof.proven
    assert named(proof) == {f"real row 0 without {one!r} and {two!r}"}
    assert {d.feature for d in proof.differences} == {"score", "class"}
    assert f"real row 0 without {one!r} and {two!r}" in describe(proof)
    assert (proof.questions, proof.serving_paths) == (first.questions, first.serving_paths)


def test_a_fault_of_two_columns_with_each_others_values_is_named_by_both():
    columns = columns_of(100)
    real = table(columns)
    one, two = (real.column(number)[0].as_py() for number in (17, 91))
    _, proof = prove(columns, lambda raw: (raw["c017"] == two) & (raw["c091"] == one))

    assert named(proof) == {"real row 0 with 'c017' and 'c091' swapped"}


def test_a_fault_of_one_value_of_one_column_is_named_by_it():
    columns = columns_of(100)
    _, proof = prove(columns, lambda raw: np.isposinf(raw["c080"]))

    assert named(proof)
    assert named(proof) <= {f"real row {base} with 'c080' = inf" for base in range(4)}


def test_a_column_that_may_not_be_missing_is_named():
    columns = columns_of(100)
    _, proof = prove(columns, lambda raw: gone(raw, "c023"))

    assert named(proof) <= {f"real row {base} without 'c023'" for base in range(4)}


def test_columns_that_may_not_be_left_out_are_named():
    columns = columns_of(100)

    def nothing(raw):
        return np.zeros(len(raw["c000"]), bool)

    first, proof = prove(columns, nothing, required={"c073", "c056"})

    assert len(first.failures) == 2
    assert {failure.path for failure in proof.failures} == {
        "made up: predict without ('c073',)",
        "made up: predict without ('c056',)",
    }
    assert proof.differences == ()
    assert not proof.proven


def test_a_difference_that_one_or_two_changes_do_not_show_is_kept():
    columns = columns_of(40)
    three = ("c001", "c002", "c003")
    first, proof = prove(columns, lambda raw: np.all([gone(raw, c) for c in three], axis=0))

    assert named(proof) == named(first)
    assert not proof.proven


def test_rows_with_one_change_need_no_narrowing():
    columns = columns_of(8)
    first, proof = prove(columns, lambda raw: gone(raw, "c001"))

    assert proof is None
    assert "real row 0 without 'c001'" in named(first)


def test_a_pair_of_few_columns_is_named_at_once():
    columns = columns_of(8)
    first, proof = prove(columns, lambda raw: gone(raw, "c001") & gone(raw, "c005"))

    assert proof is None or named(proof) == named(first)
    assert "real row 0 without 'c001' and 'c005'" in named(first)


def test_nothing_is_asked_again_where_nothing_differs():
    columns = columns_of(40)
    first, proof = prove(columns, lambda raw: np.zeros(len(raw["c000"]), bool))

    assert first.proven
    assert proof is None
