"""Columns of lists: every serving path is proven, and a list that one path cuts short is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from components.export import signatures as names
from components.parity.judge import judge
from components.parity.proof import describe
from components.parity.question_sets import QuestionSets
from components.parity.rows import make_rows
from schemas.tasks.binary import BinaryExport
from tests.component.parity.conftest import reference_of
from tests.component.parity.serving import answers_of, server, server_answers

pytestmark = pytest.mark.component

FEATURES = {"tags_id", "days_id", "codes_id"}


@pytest.fixture(scope="module")
def asked(exported_lists):
    """Rows, questions, and what training computes for them."""
    run = exported_lists
    serving = names.serving_columns(run.columns, run.layout)
    evaluation = names.evaluation_columns(run.columns, run.layout, run.label)
    rows = make_rows(run.examples, evaluation, serving, 100, {})
    sets = QuestionSets.of(rows, serving, evaluation, tuple(names.METHOD_NAMES))
    return rows, sets, reference_of(run, rows, BinaryExport(warnings=True))


@pytest.fixture(scope="module")
def address(exported_lists):
    with server(exported_lists.saved_model) as ports:
        yield ports


def test_rows_have_lists_that_break_things(asked):
    rows, _, _ = asked
    tags = rows.batch.column(rows.batch.schema.get_field_index("tags")).to_pylist()
    shown = {repr(each) for each in tags}

    assert {"None", "[]", "[b'never seen']"} <= shown
    longest = [each for each in tags if each and len(each) == 4]
    assert any(len(set(each)) == 1 for each in longest)
    assert any(each and each[::-1] != each and repr(each[::-1]) in shown for each in tags)
    assert any(name.startswith("real row 0 with 'tags' = [") for name in rows.names)


def test_python_and_the_c_api_are_proven(exported_lists, asked):
    from components.parity.c_api import SavedModel
    from components.parity.python_model import PythonModel

    rows, sets, reference = asked
    python = answers_of("Python", PythonModel(exported_lists.saved_model), sets.without_defaults)
    with SavedModel(exported_lists.saved_model) as loaded:
        proof = judge([python, answers_of("C API", loaded, sets.everything)], reference, rows)

    assert proof.proven, describe(proof)


def test_the_server_is_proven(address, asked):
    rows, sets, reference = asked
    proof = judge(server_answers(address, sets), reference, rows)

    assert proof.proven, describe(proof)


@pytest.mark.parametrize("path", ["batch", "stream"])
def test_the_jobs_are_proven(path, exported_lists, asked):
    from components.parity.scoring import BatchJob, StreamJob

    rows, sets, reference = asked
    job = {"batch": BatchJob, "stream": StreamJob}[path](exported_lists.saved_model)
    proof = judge([answers_of(path, job, sets.files)], reference, rows)

    assert proof.proven, describe(proof)
    assert sets.files[0].refused.any()


def only(sets, *wanted):
    return dataclasses.replace(sets, grpc=[q for q in sets.grpc if q.name in wanted])


def differing(proof, path):
    return {d.row for d in proof.differences if d.path == f"{path}: predict"}


def test_a_list_that_the_server_cuts_short_is_named(address, asked, monkeypatch):
    from components.serve import lists

    honest = lists.array_of
    monkeypatch.setattr(lists, "array_of", lambda *arguments: honest(*arguments)[:, :3])
    rows, sets, reference = asked
    proof = judge(server_answers(address, only(sets, "predict")), reference, rows)

    failing = {path.name for path in proof.serving_paths if not path.proven}
    assert failing == {"REST rows", "REST columns"}
    for path in failing:
        assert differing(proof, path), describe(proof)


def test_a_list_that_a_job_takes_for_empty_is_named(exported_lists, asked, monkeypatch):
    from components.parity.scoring import StreamJob
    from components.score.scorer import Scorer

    honest = Scorer.score

    def score(self, batch):
        at = batch.schema.get_field_index("tags")
        lists = [each or [] for each in batch.column(at).to_pylist()]
        columns = list(batch.columns)
        columns[at] = pa.array(lists, columns[at].type)
        return honest(self, pa.RecordBatch.from_arrays(columns, batch.schema.names))

    monkeypatch.setattr(Scorer, "score", score)
    rows, sets, reference = asked
    job = StreamJob(exported_lists.saved_model)
    proof = judge([answers_of("stream", job, sets.files)], reference, rows)

    assert differing(proof, "stream")
    assert "tags=missing" in describe(proof)


def test_another_id_in_a_list_is_a_difference(exported_lists, asked):
    """The C API's features with the last id of each list of one column gone."""
    from components.parity.c_api import SavedModel

    rows, sets, reference = asked

    class Cut:
        def run(self, signature, feeds):
            answer = loaded.run(signature, feeds)
            ids = answer["tags_id"]
            last = (ids >= 0).sum(axis=1) - 1
            some = np.flatnonzero(last >= 0)
            ids[some, last[some]] = -1
            return answer

    (question,) = [q for q in sets.everything if q.name == "transform_features"]
    with SavedModel(exported_lists.saved_model) as loaded:
        proof = judge([answers_of("C API", Cut(), [question])], reference, rows)

    assert {d.feature for d in proof.differences} == {"tags_id"}
    assert set(reference.features) >= FEATURES
