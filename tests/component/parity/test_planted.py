"""Skews planted in serving code: every one is found, and named by path, question and output.

Skews of the graph are planted in copies of the export. Those of a server or a scoring job are
planted in its own code, which runs in this process with real connections, files and messages.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from components.parity.judge import judge
from components.parity.proof import describe
from schemas.tasks.binary import BinaryExport
from tests.component.parity.conftest import FLOATS, reference_of
from tests.component.parity.serving import answers_of, server, server_answers

pytestmark = pytest.mark.component

PREDICTED = {"score", "probabilities", "logits"}


def named(proof, path, question):
    """The outputs that differ by one question to one serving path."""
    return {d.feature for d in proof.differences if d.path == f"{path}: {question}"}


def failing(proof):
    """The serving paths that are not proven."""
    return {path.name for path in proof.serving_paths if not path.proven}


# ------------------------------------------------------------------------------------- in the graph


def constant(old, new):
    def plant(export):
        import tensorflow as tf

        def change(node):
            if node.op != "Const":
                return False
            value = tf.make_ndarray(node.attr["value"].tensor)
            here = np.isclose(value, old, rtol=1e-5) if value.dtype in FLOATS else np.False_
            if not here.any():
                return False
            changed = np.where(here, new(value), value).astype(value.dtype)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(changed))
            return True

        export.change_nodes(change)

    return plant


def attribute(op, name, old, new):
    def plant(export):
        def change(node):
            kind = "s" if isinstance(new, bytes) else "i"
            if node.op != op or getattr(node.attr[name], kind) != old:
                return False
            setattr(node.attr[name], kind, new)
            return True

        export.change_nodes(change)

    return plant


def labels_swapped(export):
    import tensorflow as tf

    def change(node):
        if node.op != "Const" or node.attr["dtype"].type != tf.string.as_datatype_enum:
            return False
        value = tf.make_ndarray(node.attr["value"].tensor)
        if value.reshape(-1).tolist() != [b"0", b"1"]:
            return False
        swapped = value[..., ::-1]
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(swapped, shape=value.shape))
        return True

    export.change_nodes(change)


def vocabulary(change):
    return lambda export: export.change_vocabulary(change)


def swapped(word):
    def change(lines):
        first = next(i for i, line in enumerate(lines) if line.endswith(word))
        last = first + 1 if lines[first + 1].split(b":")[0] == lines[first].split(b":")[0] else 0
        other = last or first - 1
        lines = list(lines)
        lines[first], lines[other] = lines[other], lines[first]
        return lines

    return change


def weights(name, change):
    return lambda export: export.change_weights(name, change)


GRAPH = {
    "a clip that was removed": (constant(10, lambda v: 1e30), "transform_features", "z_score"),
    "swapped vocabulary lines": (
        vocabulary(swapped(b"Cash")),
        "transform_features",
        "_id",
    ),
    "a vocabulary cut short": (vocabulary(lambda lines: lines[:-1]), "transform_features", "_id"),
    "fewer buckets of a cross": (
        attribute("StringToHashBucketFast", "num_buckets", 16, 15),
        "transform_features",
        "_x_",
    ),
    "labels in another order": (labels_swapped, "predict", "class"),
    "labels of classification in another order": (labels_swapped, "classification", "classes"),
    "a forgotten bias": (weights("bias", lambda bias: bias + 0.01), "predict", "score"),
    "weights in half precision": (
        weights("deep_0/kernel", lambda kernel: kernel.astype(np.float16).astype(np.float32)),
        "serving_default",
        "scores",
    ),
}


def judged_by_c_api(saved_model, asked, *names):
    """Ask only these questions, or all: the first one of each signature is slow in TensorFlow."""
    from components.parity.c_api import SavedModel

    rows, sets, reference = asked
    questions = [q for q in sets.everything if not names or q.name in names]
    with SavedModel(str(saved_model)) as engine:
        return judge([answers_of("C API", engine, questions)], reference, rows)


@pytest.mark.parametrize("name", GRAPH)
def test_a_skew_in_the_graph_is_named(name, export, asked):
    plant, question, output = GRAPH[name]
    plant(export)
    proof = judged_by_c_api(export.path, asked, question)

    assert not proof.proven
    found = named(proof, "C API", question)
    assert found, describe(proof)
    exact = question == "transform_features"  # if one feature is named, no other may be
    assert (all if exact else any)(output in feature for feature in found), found


def test_an_honest_export_passes_every_path_in_this_process(exported, asked, rest):
    rows, _, reference = asked
    assert judged_by_c_api(exported.saved_model, asked).proven
    proof = judge([*rest(), *scoring(exported, asked, "batch", "stream")], reference, rows)

    assert proof.proven, describe(proof)
    assert {path.refused for path in proof.serving_paths if path.name in ("batch", "stream")} != {0}


def test_a_stale_version_is_named_by_its_scores_alone(exported_again, asked):
    proof = judged_by_c_api(exported_again, asked, "predict", "transform_features")

    assert named(proof, "C API", "predict") >= PREDICTED
    assert named(proof, "C API", "transform_features") == set()


@pytest.mark.parametrize(
    ("answers", "classes"),
    [(BinaryExport(threshold=0.9), set()), (BinaryExport(classes=("no", "yes")), {"classes"})],
)
def test_answers_of_other_options_are_named_by_the_class_alone(exported, asked, answers, classes):
    rows, sets, _ = asked
    asked = rows, sets, reference_of(exported, rows, answers)
    proof = judged_by_c_api(exported.saved_model, asked, "predict", "classification")

    assert named(proof, "C API", "predict") == {"class"}
    assert named(proof, "C API", "classification") == classes


# ----------------------------------------------------------------------------------- in the server


@pytest.fixture(scope="module")
def ports(exported):
    with server(exported.saved_model) as ports:
        yield ports


@pytest.fixture
def rest(ports, asked):
    """Ask REST and gRPC only about whole rows by column, in which a server's faults show."""

    def ask():
        _, sets, _ = asked
        whole = ("raw_columns", "predict", "classification", "regression")
        grpc = [q for q in sets.grpc if q.name in whole]
        return server_answers(ports, dataclasses.replace(sets, grpc=grpc))

    return ask


def of_texts(change):
    def plant(monkeypatch):
        from components.serve import tensors

        honest = tensors.to_bytes
        monkeypatch.setattr(tensors, "to_bytes", lambda v, where: change(honest(v, where)))

    return plant


def of_arrays(change):
    """Change a request's parsed values, by column."""

    def plant(monkeypatch):
        from components.serve import predict

        honest = predict.parse

        def parse(*arguments, **options):
            request = honest(*arguments, **options)
            given = request.inputs
            arrays = given.arrays() if isinstance(given, predict.Instances) else given
            return dataclasses.replace(request, inputs=change(dict(arrays)))

        monkeypatch.setattr(predict, "parse", parse)

    return plant


def of_answers(change):
    def plant(monkeypatch):
        from components.serve import predictions

        honest = predictions.answer
        monkeypatch.setattr(
            predictions,
            "answer",
            lambda outputs, **options: honest(
                {name: change(values) for name, values in outputs.items()}, **options
            ),
        )

    return plant


def numbers(change, dtype):
    return of_arrays(
        lambda inputs: {k: change(v) if v.dtype == dtype else v for k, v in inputs.items()}
    )


def cell(name, change):
    return of_arrays(lambda inputs: inputs | {name: change(inputs[name])})


SERVER = {
    "lower-casing": of_texts(bytes.lower),
    "trimmed text": of_texts(bytes.strip),
    "trailing NULs dropped": of_texts(lambda value: value.rstrip(b"\0")),
    "text cut at NUL": of_texts(lambda value: value.split(b"\0")[0]),
    "text read as Latin-1": of_texts(lambda value: value.decode("latin-1").encode()),
    "large integers through float32": numbers(
        lambda v: v.astype(np.float32).astype(np.float64), np.float64
    ),
    "missing numbers taken for 0": numbers(np.nan_to_num, np.float32),
    "missing integers taken for 0": numbers(lambda v: np.where(np.isnan(v), 0, v), np.float64),
    "an hour of another time zone": cell("age", lambda v: (v + 6) % 24),
    "a unit of another country": cell("Fare ($)", lambda v: v / np.float32(1.1)),
    "whole dollars": cell("Fare ($)", np.round),
    "two columns swapped": of_arrays(
        lambda inputs: inputs | {"a b": inputs["a_b"], "a_b": inputs["a b"]}
    ),
    "answers of other rows": of_answers(lambda values: values[::-1]),
    "answers in four digits": of_answers(
        lambda values: values if values.dtype == object else np.round(values, 4)
    ),
    "a truncated answer": of_answers(lambda values: values[:-1]),
}


@pytest.mark.parametrize("name", SERVER)
def test_a_skew_in_the_server_is_named(name, rest, asked, monkeypatch):
    SERVER[name](monkeypatch)
    rows, _, reference = asked
    proof = judge(rest(), reference, rows)

    assert {path.name for path in proof.serving_paths if not path.proven} >= {
        "REST rows",
        "REST columns",
    }
    assert "gRPC" not in failing(proof)
    for path in ("REST rows", "REST columns"):
        assert named(proof, path, "predict") >= PREDICTED, describe(proof)


def missing(values):
    return values == b"" if values.dtype == object else np.isnan(values)


def wrong_where(condition):
    """Give rows another fare if their columns meet a condition."""
    return of_arrays(
        lambda inputs: (
            inputs | {"Fare ($)": np.where(condition(inputs), np.float32(77), inputs["Fare ($)"])}
        )
    )


def same(inputs, row, *names):
    """Return where these columns are equal to a row's."""
    return np.logical_and.reduce(
        [missing(inputs[n]) if row[n] is None else inputs[n] == row[n] for n in names]
    )


# Faults of two columns at once, in a row that otherwise equals the first real one.
PAIRS = {
    "real row 0 without 'naïve' and 'self'": lambda first: (
        lambda inputs: (
            missing(inputs["naïve"]) & missing(inputs["self"]) & same(inputs, first, "Fare ($)")
        )
    ),
    "real row 0 with 'age' and 'self' swapped": lambda first: (
        lambda inputs: (
            same(inputs, {"age": first["self"], "self": first["age"]}, "age", "self")
            & same(inputs, first, "Fare ($)", "naïve")
        )
    ),
}


@pytest.mark.parametrize("row", PAIRS)
def test_a_skew_of_two_columns_at_once_is_named_by_both(row, rest, asked, monkeypatch):
    rows, _, reference = asked
    first = rows.bases.to_pylist()[0]
    assert None not in (first["Fare ($)"], first["naïve"], first["self"])
    assert first["age"] != first["self"]
    wrong_where(PAIRS[row](first))(monkeypatch)
    proof = judge(rest(), reference, rows)

    for path in ("REST rows", "REST columns"):
        differing = {d.row for d in proof.differences if d.path == f"{path}: predict"}
        assert row in differing, describe(proof)
    assert "gRPC" not in failing(proof)


# ------------------------------------------------------------------------------ in batch and stream


def scoring(exported, asked, *names):
    from components.parity.scoring import BatchJob, StreamJob

    _, sets, _ = asked
    jobs = {"batch": BatchJob, "stream": StreamJob}
    return [answers_of(name, jobs[name](exported.saved_model), sets.files) for name in names]


def in_scorer(change):
    """Change the batch that a job has read, or its scores."""

    def plant(monkeypatch):
        from components.score.scorer import Scorer

        monkeypatch.setattr(Scorer, "score", change(Scorer.score))

    return plant


def of_column(name, change):
    def around(honest):
        def score(self, batch):
            at = batch.schema.get_field_index(name)
            columns = list(batch.columns)
            columns[at] = pa.array(list(map(change, columns[at].to_pylist())), columns[at].type)
            return honest(self, pa.RecordBatch.from_arrays(columns, batch.schema.names))

        return score

    return in_scorer(around)


SCORING = {
    "a reader in another time zone": of_column("age", lambda v: None if v is None else v % 24 + 6),
    "a reader that trims": of_column("naïve", lambda v: None if v is None else v.strip()),
    "a reader that takes 0 for missing": of_column("self", lambda v: 0 if v is None else v),
    "a reader of another row": in_scorer(
        lambda honest: (
            lambda self, batch: honest(
                self, batch.take(pa.array(np.roll(np.arange(batch.num_rows), 1)))
            )
        )
    ),
}


@pytest.mark.parametrize("path", ["batch", "stream"])
@pytest.mark.parametrize("name", SCORING)
def test_a_skew_in_a_scoring_job_is_named(name, path, exported, asked, monkeypatch):
    SCORING[name](monkeypatch)
    rows, _, reference = asked
    proof = judge(scoring(exported, asked, path), reference, rows)

    assert named(proof, path, "predict") >= {"score", "probabilities", "logits"}, describe(proof)


def test_rows_lost_and_rows_refused_are_named(exported, asked):
    """A truncated file, and a job that refuses more than it declares."""
    rows, sets, reference = asked

    class Forgetful:
        def run(self, signature, feeds):
            from components.parity.scoring import BatchJob

            answer = BatchJob(exported.saved_model).run(signature, feeds)
            answer["fate"][:2] = [b"lost", b"refused"]
            answer["score"][:2] = np.nan
            return answer

    proof = judge([answers_of("batch", Forgetful(), sets.files)], reference, rows)

    fates = {(d.row, d.got) for d in proof.differences if d.feature == "fate"}
    assert fates == {("test row 0", "'lost'"), ("test row 1", "'refused'")}
    assert named(proof, "batch", "predict") == {"fate", "score"}
