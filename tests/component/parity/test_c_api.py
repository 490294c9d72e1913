"""SavedModels through the C API: values of every type are unchanged, and refusals have reasons."""

import sys

import numpy as np
import pytest

pytestmark = pytest.mark.component


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


ARRAYS = {
    "float": np.array([1.5, np.nan, -np.inf, 1e-45], np.float32),
    "double": np.array([[2.0**53, -0.0], [np.nan, 5e-324]]),
    "int": np.array([-(2**31), 2**31 - 1], np.int32),
    "long": np.array([-(2**63), 2**63 - 1, 0]),
    "bool": np.array([True, False]),
    "string": objects(b"", b"\x00", b"a\x00b\x00", b"\xff" * 23, "日本".encode(), b"x" * 100_000),
}


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """A model that returns its inputs; its `long` may be left out."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    path = tmp_path_factory.mktemp("echo")
    module = tf.Module()

    specs = {
        name: tf.TensorSpec(
            [None] * values.ndim, tf.string if name == "string" else values.dtype, name=name
        )
        for name, values in ARRAYS.items()
    }
    echo = tf.function(
        lambda **inputs: {
            f"{name}_out": tf.ensure_shape(tensor, [None] * ARRAYS[name].ndim)
            for name, tensor in inputs.items()
        }
    )
    tf.saved_model.save(module, str(path), signatures={"echo": echo.get_concrete_function(**specs)})
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    defaults = proto.meta_graphs[0].signature_def["echo"].defaults
    defaults["long"].CopyFrom(tf.make_tensor_proto([7, 8, 8], tf.int64))
    defaults["string"].CopyFrom(tf.make_tensor_proto([b"a\x00", b"b", b"b"]))
    defaults["float"].CopyFrom(tf.make_tensor_proto(2.5, tf.float32, shape=[4]))
    (path / "saved_model.pb").write_bytes(proto.SerializeToString())
    return str(path)


@pytest.fixture(scope="module")
def model(saved_model):
    from components.parity.c_api import SavedModel

    with SavedModel(saved_model) as loaded:
        yield loaded


def same(got, expected):
    """Whether two arrays are equal bit by bit."""
    if expected.dtype == object:
        return got.dtype == object and got.tolist() == expected.tolist()
    return got.dtype == expected.dtype and got.tobytes() == expected.tobytes()


def test_values_of_every_type_are_returned_unchanged(model):
    outputs = model.run("echo", ARRAYS)

    assert set(outputs) == {f"{name}_out" for name in ARRAYS}
    for name, expected in ARRAYS.items():
        got = outputs[f"{name}_out"]
        assert got.shape == expected.shape, name
        assert same(got, expected), name


def test_empty_arrays_are_returned(model):
    nothing = {name: values[:0] for name, values in ARRAYS.items()}
    outputs = model.run("echo", nothing)

    for name, expected in nothing.items():
        assert outputs[f"{name}_out"].shape == expected.shape
        assert same(outputs[f"{name}_out"], expected)


def test_slices_and_other_strides_are_read_correctly(model):
    double = np.arange(12.0).reshape(4, 3)[::2, 1:]
    outputs = model.run("echo", {**ARRAYS, "double": double, "string": ARRAYS["string"][::-1]})

    assert outputs["double_out"].tolist() == [[1, 2], [7, 8]]
    assert outputs["string_out"].tolist() == ARRAYS["string"].tolist()[::-1]


def test_inputs_left_out_take_their_defaults(model):
    given = {n: v for n, v in ARRAYS.items() if n not in ("long", "string", "float")}
    outputs = model.run("echo", given)

    assert outputs["long_out"].tolist() == [7, 8, 8]
    assert outputs["string_out"].tolist() == [b"a\x00", b"b", b"b"]
    assert outputs["float_out"].tolist() == [2.5] * 4


def test_what_does_not_fit_is_refused_by_name(model):
    without = {n: v for n, v in ARRAYS.items() if n != "double"}
    with pytest.raises(LookupError, match="input 'double' is left out and has no default"):
        model.run("echo", without)
    with pytest.raises(LookupError, match="there is no input 'more'"):
        model.run("echo", {**ARRAYS, "more": ARRAYS["int"]})
    with pytest.raises(LookupError, match=r"there is no signature 'shout': .*'echo'"):
        model.run("shout", ARRAYS)
    with pytest.raises(TypeError, match="input 'int' takes int32, got int64"):
        model.run("echo", {**ARRAYS, "int": np.array([1, 2])})
    with pytest.raises(TypeError, match="input 'string' takes bytes, got str"):
        model.run("echo", {**ARRAYS, "string": objects("text")})


def test_what_tensorflow_refuses_is_raised_with_its_own_words(model):
    from components.parity.c_api import SavedModel
    from components.parity.libtensorflow import TensorFlowError

    with pytest.raises(TensorFlowError, match="is not compatible with expected shape"):
        model.run("echo", {**ARRAYS, "bool": np.array([[True]])})
    with pytest.raises(TensorFlowError, match="Could not find SavedModel"):
        SavedModel("/nowhere")


def test_memory_does_not_grow_with_requests(model):
    import psutil

    large = {**ARRAYS, "string": objects(*[b"x" * 1_000_000] * 8)}
    model.run("echo", large)
    before = psutil.Process().memory_info().rss
    for _ in range(50):  # 400 MB in, 400 MB out
        model.run("echo", large)

    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_a_closed_model_can_be_closed_again(saved_model):
    from components.parity.c_api import SavedModel

    loaded = SavedModel(saved_model)
    assert set(loaded.signatures["echo"].inputs) == set(ARRAYS)
    loaded.close()
    loaded.close()


def test_the_library_is_found_without_importing_tensorflow(monkeypatch, tmp_path):
    from components.parity.libtensorflow import library_path

    assert "libtensorflow_cc" in library_path()
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow")
    with pytest.raises(FileNotFoundError, match="no libtensorflow_cc"):
        library_path()
    (package / "libtensorflow_cc.so.9").touch()
    assert library_path() == str(package / "libtensorflow_cc.so.9")
