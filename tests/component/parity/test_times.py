"""Booleans and times: proven on every path in this process; planted faults are found and named."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from components.parity.judge import judge
from components.parity.proof import describe
from schemas.tasks.binary import BinaryExport
from tests.component.parity.conftest import reference_of
from tests.component.parity.serving import answers_of, server, server_answers

pytestmark = pytest.mark.component

NAMES = ("raw_columns", "predict", "classification", "regression")


@pytest.fixture(scope="module")
def asked(timed):
    """Rows, questions, and what training computes for them."""
    from components.export import signatures as names
    from components.parity.boundaries import treatment_boundaries
    from components.parity.question_sets import QuestionSets
    from components.parity.rows import make_rows

    serving = names.serving_columns(timed.columns, timed.layout)
    evaluation = names.evaluation_columns(timed.columns, timed.layout, timed.label)
    ends = treatment_boundaries(timed.transform_graph, timed.layout)
    rows = make_rows(timed.examples, evaluation, serving, 60, ends)
    sets = QuestionSets.of(rows, serving, evaluation, tuple(names.METHOD_NAMES))
    return rows, sets, reference_of(timed, rows, BinaryExport())


@pytest.fixture(scope="module")
def ports(timed):
    with server(timed.saved_model) as ports:
        yield ports


@pytest.fixture
def rest(ports, asked):
    def ask():
        _, sets, _ = asked
        grpc = [q for q in sets.grpc if q.name in NAMES]
        return server_answers(ports, dataclasses.replace(sets, grpc=grpc))

    return ask


def jobs(timed, asked, *names):
    from components.parity.scoring import BatchJob, StreamJob

    made = {"batch": BatchJob, "stream": StreamJob}
    return [answers_of(name, made[name](timed.saved_model), asked[1].files) for name in names]


def test_every_path_is_proven(timed, asked, rest):
    from components.parity.c_api import SavedModel

    rows, sets, reference = asked
    with SavedModel(timed.saved_model) as engine:
        answers = [answers_of("C API", engine, sets.everything)]
        proof = judge([*answers, *rest(), *jobs(timed, asked, "batch", "stream")], reference, rows)
    assert proof.proven, describe(proof)


def towards_1970(form, hours):
    """Shift texts as a wrong zone does; away from 1970 the last ones would be refused."""

    def change(value):
        if not value:
            return value
        moment = datetime.strptime(value.decode(), form)  # noqa: DTZ007 - times have no zone
        shift = timedelta(hours=-hours if moment.year >= 1970 else hours)
        return (moment + shift).strftime(form).encode()

    return np.vectorize(change, otypes=[object])


def swapped(values):
    return np.where(values == b"yes", b"no", np.where(values == b"no", b"yes", values))


FAULTS = {
    "ordered at": towards_1970("%Y-%m-%d %H:%M:%S", hours=1),
    "seconds": lambda values: values - np.sign(values) * 3_600,
    "flag": lambda values: 1 - values,
    "member": swapped,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_server_is_named(name, rest, asked, monkeypatch):
    from components.serve import predict

    honest = predict.parse

    def parse(*arguments, **options):
        request = honest(*arguments, **options)
        given = request.inputs
        arrays = dict(given.arrays() if isinstance(given, predict.Instances) else given)
        return dataclasses.replace(request, inputs=arrays | {name: FAULTS[name](arrays[name])})

    monkeypatch.setattr(predict, "parse", parse)
    rows, _, reference = asked
    proof = judge(rest(), reference, rows)

    failing = {path.name for path in proof.serving_paths if not path.proven}
    assert failing == {"REST rows", "REST columns"}
    for path in failing:
        named = {d.feature for d in proof.differences if d.path == f"{path}: predict"}
        assert named >= {"score", "probabilities", "logits"}, describe(proof)


@pytest.mark.parametrize("name", ["seconds"])
def test_a_fault_of_a_reader_is_named(name, timed, asked, monkeypatch):
    from components.score.scorer import Scorer

    honest = Scorer.score

    def score(self, batch):
        at = batch.schema.get_field_index(name)
        columns = list(batch.columns)
        changed = [v if v is None else int(FAULTS[name](v)) for v in columns[at].to_pylist()]
        columns[at] = pa.array(changed, columns[at].type)
        return honest(self, pa.RecordBatch.from_arrays(columns, batch.schema.names))

    monkeypatch.setattr(Scorer, "score", score)
    rows, _, reference = asked
    proof = judge(jobs(timed, asked, "batch"), reference, rows)
    named = {d.feature for d in proof.differences if d.path == "batch: predict"}
    assert named >= {"score", "probabilities", "logits"}, describe(proof)
