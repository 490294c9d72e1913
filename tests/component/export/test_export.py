"""One SavedModel, complete in itself, whose signatures agree."""

import os
import shutil

import numpy as np
import pyarrow as pa
import pytest

from components.encoded_examples import as_tf_examples
from components.examples import as_raw_columns, iter_batches
from components.export import column_file
from components.export import signatures as names
from components.score.columns import read_signature
from schemas.errors import DataError
from schemas.tasks.binary import BinaryExport

pytestmark = pytest.mark.component

SIGNATURES = {
    names.SERVING_DEFAULT,
    names.RAW_COLUMNS,
    names.PREDICT,
    names.TRANSFORM_FEATURES,
    names.CLASSIFICATION,
    names.REGRESSION,
    names.EVALUATION,
}
NAN = float("nan")


def assert_close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.fixture(scope="module")
def serving(exported):
    return names.serving_columns(exported.columns, exported.layout)


@pytest.fixture(scope="module")
def model(exported):
    """The export in the C++ loader."""
    from components.parity.c_api import SavedModel

    with SavedModel(exported.saved_model) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def rows(exported):
    """The test split, as one batch of raw rows."""
    table = pa.Table.from_batches(iter_batches(exported.examples, "test"))
    return table.combine_chunks().to_batches()[0]


@pytest.fixture(scope="module")
def raw(rows, serving):
    return as_raw_columns(rows, serving)


@pytest.fixture(scope="module")
def examples(rows, serving):
    return objects(*as_tf_examples(rows, serving))


def test_inputs_are_named_after_their_columns_and_may_be_left_out(model, serving):
    assert set(model.signatures) >= SIGNATURES
    columns = model.signatures[names.RAW_COLUMNS]
    assert set(columns.inputs) == {c.name for c in serving}
    assert {name: (a.shape, a.dtype.name) for name, a in columns.defaults.items()} == {
        "age": ((0,), "float64"),
        "self": ((0,), "float64"),
        "hours-per-week": ((0,), "float32"),
        "Fare ($)": ((0,), "float32"),
        "naïve": ((0,), "object"),
        "a b": ((0,), "object"),
        "a_b": ((0,), "object"),
        "Age": ((0,), "object"),
    }
    evaluation = model.signatures[names.EVALUATION]
    assert set(evaluation.inputs) == {"tips", *columns.inputs}
    assert not evaluation.defaults


def test_signatures_have_the_methods_that_tensorflow_serving_expects(model):
    methods = {name: s.method_name for name, s in model.signatures.items() if name in SIGNATURES}

    assert methods.pop(names.CLASSIFICATION) == "tensorflow/serving/classify"
    assert methods.pop(names.REGRESSION) == "tensorflow/serving/regress"
    assert set(methods.values()) == {"tensorflow/serving/predict"}


def test_every_signature_gives_the_same_scores(model, raw, examples, rows, exported):
    default = model.run(names.SERVING_DEFAULT, {"examples": examples})
    scores = default["scores"]

    assert scores.shape == (40,)
    assert np.unique(scores).size > 20
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-default["logits"])), rtol=1e-6)
    from_raw = model.run(names.RAW_COLUMNS, raw)
    assert_close(from_raw["scores"], scores)
    np.testing.assert_allclose(from_raw["logits"], default["logits"], rtol=1e-6, atol=1e-6)
    regression = model.run(names.REGRESSION, {"inputs": examples})
    assert_close(regression["outputs"], scores)
    classified = model.run(names.CLASSIFICATION, {"inputs": examples})
    assert_close(classified["scores"][:, 1], scores)
    np.testing.assert_allclose(classified["scores"].sum(axis=1), 1, rtol=1e-6)
    assert classified["classes"].tolist() == [[b"0", b"1"]] * 40
    evaluation = names.evaluation_columns(exported.columns, exported.layout, exported.label)
    evaluated = model.run(names.EVALUATION, as_raw_columns(rows, evaluation))
    assert_close(evaluated["scores"], scores)


def test_transformed_features_are_those_of_the_layout_without_the_label(model, examples, exported):
    features = model.run(names.TRANSFORM_FEATURES, {"examples": examples})

    assert set(features) == {f.name for f in exported.layout.features}
    for feature in exported.layout.features:
        values = features[feature.name]
        assert values.shape == (40,)
        assert values.dtype == (np.float32 if feature.role == "dense" else np.int64)
        if feature.role != "dense":
            assert values.min() >= 0
            assert values.max() < feature.size


def test_evaluation_gives_label_and_baseline_of_the_same_graph(model, rows, exported):
    evaluation = names.evaluation_columns(exported.columns, exported.layout, exported.label)
    raw = as_raw_columns(rows, evaluation)
    evaluated = model.run(names.EVALUATION, raw)

    limit = np.float32(0.3) * raw["Fare ($)"]
    assert evaluated["label"].tolist() == (raw["tips"] > limit).astype(int).tolist()
    assert 0 < evaluated["label"].sum() < 40
    baseline = evaluated["baseline_scores"]
    assert ((baseline > 0) & (baseline < 1)).all()
    assert not np.array_equal(baseline, evaluated["scores"])


def test_a_column_left_out_is_a_column_that_is_missing(model, raw):
    for name, values in raw.items():
        missing = np.full_like(values, b"" if values.dtype == object else NAN)
        others = {n: v for n, v in raw.items() if n != name}

        left_out = model.run(names.RAW_COLUMNS, others)["scores"]
        given = model.run(names.RAW_COLUMNS, {**others, name: missing})["scores"]
        assert_close(left_out, given)


def test_empty_text_and_nan_in_an_example_mean_missing_too(model):
    from tensorflow.core.example import example_pb2

    empty = example_pb2.Example()
    empty.features.feature["naïve"].bytes_list.value.append(b"")
    empty.features.feature["Fare ($)"].float_list.value.append(NAN)
    examples = objects(b"", empty.SerializeToString())

    scores = model.run(names.SERVING_DEFAULT, {"examples": examples})["scores"]
    assert scores[0] == scores[1]


def test_no_rows_give_no_scores(model, raw):
    none = {name: values[:0] for name, values in raw.items()}

    assert model.run(names.RAW_COLUMNS, none)["scores"].shape == (0,)
    assert model.run(names.RAW_COLUMNS, {})["scores"].shape == (0,)
    assert model.run(names.CLASSIFICATION, {"inputs": objects()})["classes"].shape == (0, 2)


@pytest.mark.parametrize("value", [39.5, 2.0**53 + 2, -(2.0**60), float("inf"), -float("inf")])
def test_a_number_that_is_not_an_integer_is_refused_by_its_column(model, raw, value):
    from components.parity.libtensorflow import TensorFlowError

    ages = raw["age"].copy()
    ages[3] = value
    with pytest.raises(TensorFlowError, match=r"something else than integers.*\[age\]") as caught:
        model.run(names.RAW_COLUMNS, {**raw, "age": ages})

    assert "self" not in str(caught.value)


def test_columns_of_unequal_length_are_refused_by_name(model, raw):
    from components.parity.libtensorflow import TensorFlowError

    with pytest.raises(TensorFlowError, match=r"differ in length.*\[naïve\]") as caught:
        model.run(names.RAW_COLUMNS, {**raw, "naïve": raw["naïve"][:7]})

    assert "age" not in str(caught.value)


def test_python_calls_it_with_any_column_name(exported, raw, model):
    import tensorflow as tf

    loaded = tf.saved_model.load(exported.saved_model)
    tensors = {name: tf.constant(values) for name, values in raw.items()}
    expected = model.run(names.RAW_COLUMNS, raw)["scores"]

    arguments = names.argument_names(tensors)
    by_argument = loaded.signatures[names.RAW_COLUMNS](
        **{arguments[name]: tensor for name, tensor in tensors.items()}
    )
    assert_close(by_argument["scores"].numpy(), expected)


def test_its_folder_has_the_types_of_the_raw_columns(exported, serving):
    columns = column_file.read(exported.saved_model)

    assert tuple(columns.values()) == serving
    assert set(read_signature(exported.saved_model).inputs) == set(serving)


def test_warm_up_requests_can_be_answered(exported, model):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = os.path.join(exported.saved_model, "assets.extra", "tf_serving_warmup_requests")
    answered = {}
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        request = getattr(log, kind).request
        assert request.model_spec.name == "tiny"
        if kind == "predict_log":
            feeds = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        else:
            rows = request.input.example_list.examples
            feeds = {"inputs": objects(*(row.SerializeToString() for row in rows))}
        signature = request.model_spec.signature_name
        outputs = model.run(signature, feeds)
        answered[signature] = kind, {len(values) for values in outputs.values()}

    assert answered == {
        names.SERVING_DEFAULT: ("predict_log", {16}),
        names.TRANSFORM_FEATURES: ("predict_log", {16}),
        names.RAW_COLUMNS: ("predict_log", {16}),
        names.PREDICT: ("predict_log", {16}),
        names.CLASSIFICATION: ("classify_log", {16}),
        names.REGRESSION: ("regress_log", {16}),
    }


@pytest.fixture
def copies(exported, tmp_path):
    """Copies of the artifacts, by name."""
    folders = {name: tmp_path / name for name in ("examples", "transform_graph", "trained")}
    for name, folder in folders.items():
        shutil.copytree(getattr(exported, name), folder)
    return folders


@pytest.fixture
def export_copies(exported, copies, tmp_path):
    """A function that exports the copies; returns the SavedModel's folder."""
    from components.export.export import export

    def run():
        export(
            model_dir=str(copies["trained"]),
            transform_graph_dir=str(copies["transform_graph"]),
            examples_dir=str(copies["examples"]),
            columns=exported.columns,
            label=exported.label,
            model_name="tiny",
            answers=BinaryExport(),
            output=str(tmp_path / "Format-Serving"),
        )
        return tmp_path / "Format-Serving"

    return run


def test_the_export_needs_nothing_that_it_was_made_from(
    copies, export_copies, tmp_path, model, raw
):
    from components.parity.c_api import SavedModel

    made = export_copies()
    for folder in copies.values():
        shutil.rmtree(folder)
    moved = tmp_path / "über all" / "1"
    moved.parent.mkdir()
    made.rename(moved)

    with SavedModel(str(moved)) as loaded:
        scores = loaded.run(names.RAW_COLUMNS, raw)["scores"]
    assert_close(scores, model.run(names.RAW_COLUMNS, raw)["scores"])
    assert str(tmp_path).encode() not in (moved / "saved_model.pb").read_bytes()


def test_an_export_that_fails_leaves_nothing_under_its_name(copies, export_copies, tmp_path):
    partial = tmp_path / "Format-Serving.partial"
    partial.mkdir()
    (partial / "left over").write_text("by a run that was killed")
    shutil.rmtree(copies["examples"] / "Split-test")

    with pytest.raises(DataError, match="there is no split 'test'"):
        export_copies()  # the last step fails: no rows to make warm-up requests of
    assert not (tmp_path / "Format-Serving").exists()

    shutil.copytree(copies["examples"] / "Split-eval", copies["examples"] / "Split-test")
    assert sorted(os.listdir(export_copies())) == [
        *("assets", "assets.extra", "saved_model.pb", "variables")
    ]
