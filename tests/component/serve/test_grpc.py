"""gRPC with tensorflow-serving-api's own stubs: the same bits and refusals as REST."""

import contextlib

import grpc
import numpy as np
import pytest

from components.encoded_examples import as_tf_examples

pytestmark = pytest.mark.component

RAW = "raw_columns"


@pytest.fixture(scope="module")
def api():
    """The package's messages and stubs, whose import brings TensorFlow."""
    import tensorflow as tf
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        model_management_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
        regression_pb2,
    )

    class Api:
        Predict = predict_pb2.PredictRequest
        Classify = classification_pb2.ClassificationRequest
        Regress = regression_pb2.RegressionRequest
        MultiInference = inference_pb2.MultiInferenceRequest
        Metadata = get_model_metadata_pb2.GetModelMetadataRequest
        SignatureDefMap = get_model_metadata_pb2.SignatureDefMap
        Status = get_model_status_pb2.GetModelStatusRequest
        Reload = model_management_pb2.ReloadConfigRequest
        prediction = prediction_service_pb2_grpc.PredictionServiceStub
        model = model_service_pb2_grpc.ModelServiceStub
        tensor = staticmethod(tf.make_tensor_proto)
        array = staticmethod(tf.make_ndarray)
        parsed = staticmethod(tf.io.parse_tensor)
        example = tf.train.Example

    return Api


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(api, channel):
    return api.prediction(channel)


@pytest.fixture
def ask_raw(api, columns):
    """Return a request of all rows as raw columns."""
    request = api.Predict()
    request.model_spec.name, request.model_spec.signature_name = "tiny", RAW
    for name, values in columns.items():
        request.inputs[name].CopyFrom(api.tensor(values))
    return request


@contextlib.contextmanager
def refused(code, *texts):
    with pytest.raises(grpc.RpcError) as caught:
        yield
    assert caught.value.code() == getattr(grpc.StatusCode, code), caught.value.details()
    for text in texts:
        assert text in caught.value.details()


def test_raw_columns_and_examples_are_scored_as_by_the_model(
    api, prediction, ask_raw, scores, exported, batch
):
    response = prediction.Predict(ask_raw)
    assert (response.model_spec.name, response.model_spec.signature_name) == ("tiny", RAW)
    assert response.model_spec.version.value == 1
    assert response.outputs.keys() == scores.keys()
    for name, values in scores.items():
        np.testing.assert_array_equal(api.array(response.outputs[name]), values, strict=True)

    request = api.Predict()
    request.model_spec.name = "tiny"
    serving = tuple(column for column in exported.columns if column.serving)
    request.inputs["examples"].CopyFrom(api.tensor(as_tf_examples(batch, serving)))
    response = prediction.Predict(request)
    assert response.model_spec.signature_name == "serving_default"
    for name, values in scores.items():
        np.testing.assert_array_equal(api.array(response.outputs[name]), values, strict=True)


def test_strings_may_be_packed_as_by_clients_in_c(api, prediction, ask_raw, columns, scores):
    for name, values in columns.items():
        if values.dtype != object:
            continue
        strings = values.tolist()  # all shorter than 128 bytes, so that a length takes one byte
        proto = ask_raw.inputs[name]
        del proto.string_val[:]
        proto.tensor_content = bytes(map(len, strings)) + b"".join(strings)
        assert api.parsed(proto.SerializeToString(), "string").numpy().tolist() == strings
    given = api.array(prediction.Predict(ask_raw).outputs["scores"])
    np.testing.assert_array_equal(given, scores["scores"], strict=True)


def test_rest_and_grpc_give_the_same_bits(prediction, ask_raw, server, rows):
    body = {"signature_name": RAW, "instances": rows}
    _, answer = server.ask("POST", "/v1/models/tiny:predict", body)
    given = list(prediction.Predict(ask_raw).outputs["scores"].float_val)
    assert (
        np.float32(given).tobytes()
        == np.float32([row["scores"] for row in answer["predictions"]]).tobytes()
    )


def test_only_the_outputs_of_the_filter_are_given(prediction, ask_raw):
    ask_raw.output_filter.append("logits")
    assert list(prediction.Predict(ask_raw).outputs) == ["logits"]
    ask_raw.output_filter.append("score")
    with refused("INVALID_ARGUMENT", "unknown output 'score'", "did you mean 'scores'"):
        prediction.Predict(ask_raw)


def examples_of(api, batch):
    """Return rows as tf.Examples; what is missing is left out."""
    examples = []
    for row in batch.to_pylist():
        example = api.example()
        for name, value in row.items():
            feature = example.features.feature[name]
            if isinstance(value, str):
                feature.bytes_list.value.append(value.encode())
            elif isinstance(value, int):
                feature.int64_list.value.append(value)
            elif value is not None:
                feature.float_list.value.append(value)
        examples.append(example)
    return examples


def test_examples_are_classified_and_regressed(api, prediction, batch, scores):
    regress, classify = api.Regress(), api.Classify()
    for request, signature in ((regress, "regression"), (classify, "classification")):
        request.model_spec.name, request.model_spec.signature_name = "tiny", signature
        request.input.example_list.examples.extend(examples_of(api, batch))
    regressed = prediction.Regress(regress).result.regressions
    assert np.float32([each.value for each in regressed]).tobytes() == scores["scores"].tobytes()
    classified = prediction.Classify(classify).result.classifications
    assert [c.label for c in classified[0].classes] == ["0", "1"]
    assert [each.classes[1].score for each in classified] == [each.value for each in regressed]

    both = api.MultiInference(input=regress.input)
    for method, signature in (("regress", "regression"), ("classify", "classification")):
        task = both.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = "tiny", signature
    first, second = prediction.MultiInference(both).results
    assert list(first.regression_result.regressions) == list(regressed)
    assert list(second.classification_result.classifications) == list(classified)
    both.tasks[1].model_spec.signature_name = "regression"
    with refused("INVALID_ARGUMENT", "'regression' is named twice"):
        prediction.MultiInference(both)


def test_a_contexts_features_replace_those_an_example_lacks(api, prediction, batch):
    whole, shared = api.Regress(), api.Regress()
    for request in (whole, shared):
        request.model_spec.name, request.model_spec.signature_name = "tiny", "regression"
    listed = shared.input.example_list_with_context
    listed.context.features.feature["self"].int64_list.value.append(5)
    for example in examples_of(api, batch):
        listed.examples.add().CopyFrom(example)
        if not example.features.feature["self"].int64_list.value:
            example.features.feature["self"].int64_list.value.append(5)
        whole.input.example_list.examples.append(example)
    for example in listed.examples:
        if not example.features.feature["self"].int64_list.value:
            del example.features.feature["self"]
    assert prediction.Regress(shared).result == prediction.Regress(whole).result


def test_metadata_and_status_are_served(api, prediction, channel):
    request = api.Metadata(metadata_field=["signature_def"])
    request.model_spec.name = "tiny"
    signatures = api.SignatureDefMap()
    prediction.GetModelMetadata(request).metadata["signature_def"].Unpack(signatures)
    described = signatures.signature_def[RAW]
    assert described.method_name == "tensorflow/serving/predict"
    assert described.inputs["age"].dtype == 2
    assert [dim.size for dim in described.inputs["age"].tensor_shape.dim] == [-1]

    status = api.Status()
    status.model_spec.name = "tiny"
    (version,) = api.model(channel).GetModelStatus(status).model_version_status
    assert (version.version, version.state, version.status.error_code) == (1, 30, 0)


def test_refusals_have_tensorflow_servings_codes(api, prediction, ask_raw, channel):
    status = api.Status()
    with refused("INVALID_ARGUMENT", "names no model"):
        api.model(channel).GetModelStatus(status)
    status.model_spec.name = "other"
    with refused("NOT_FOUND", "no model 'other'; served: 'tiny'"):
        api.model(channel).GetModelStatus(status)
    with refused("INVALID_ARGUMENT", "'metadata_field' is empty"):
        prediction.GetModelMetadata(api.Metadata(model_spec=ask_raw.model_spec))

    def changed(change):
        request = api.Predict()
        request.CopyFrom(ask_raw)
        change(request)
        return request

    cases = [
        (lambda r: r.model_spec.version.__setattr__("value", 9), "NOT_FOUND", "no version 9"),
        (lambda r: r.model_spec.__setattr__("version_label", "x"), "INVALID_ARGUMENT", "label"),
        (
            lambda r: r.model_spec.__setattr__("signature_name", "x"),
            "FAILED_PRECONDITION",
            "no signature 'x'",
        ),
        (lambda r: r.inputs.pop("age"), "INVALID_ARGUMENT", "'inputs' lacks 'age'"),
        (lambda r: r.inputs["ages"].SetInParent(), "INVALID_ARGUMENT", "did you mean 'age'"),
        (
            lambda r: r.inputs["age"].CopyFrom(api.tensor(["a"])),
            "INVALID_ARGUMENT",
            "input 'age': DT_STRING, expected DT_DOUBLE",
        ),
        (
            lambda r: r.inputs["age"].tensor_shape.dim[0].__setattr__("size", 2**40),
            "INVALID_ARGUMENT",
            f"input 'age': {2**40} rows; at most 65536",
        ),
    ]
    for change, code, text in cases:
        with refused(code, text):
            prediction.Predict(changed(change))
    bad = np.full(api.array(ask_raw.inputs["age"]).shape, 2.5)
    with refused("INVALID_ARGUMENT", "row 0, input 'age': 2.5, expected a whole number"):
        prediction.Predict(changed(lambda r: r.inputs["age"].CopyFrom(api.tensor(bad))))


def test_examples_that_do_not_fit_are_named(api, prediction):
    request = api.Predict()
    request.model_spec.name = "tiny"
    request.inputs["examples"].CopyFrom(api.tensor([b"", b"junk!!"]))
    with refused("INVALID_ARGUMENT", "row 1, input 'examples': 6 bytes that are not a tf.Example"):
        prediction.Predict(request)

    classify = api.Classify()
    classify.model_spec.name, classify.model_spec.signature_name = "tiny", "classification"
    classify.input.example_list.examples.add()
    second = classify.input.example_list.examples.add().features.feature["age"]
    second.int64_list.value.extend([1, 2])
    both = api.MultiInference(input=classify.input)
    task = both.tasks.add(method_name="tensorflow/serving/classify")
    task.model_spec.CopyFrom(classify.model_spec)
    for ask, asked in ((prediction.Classify, classify), (prediction.MultiInference, both)):
        with refused("INVALID_ARGUMENT", "examples[1], feature 'age': 2 values, expected at most"):
            ask(asked)
    second.float_list.value.append(2.5)
    with refused("INVALID_ARGUMENT", "examples[1], feature 'age': values of DT_FLOAT, expected"):
        prediction.Classify(classify)


def test_without_a_signature_the_one_that_fits_is_named(prediction, ask_raw):
    ask_raw.model_spec.signature_name = ""
    with refused("INVALID_ARGUMENT", "signature is 'serving_default'", "be: predict, raw_columns"):
        prediction.Predict(ask_raw)


def test_bytes_that_are_not_a_message_are_the_clients_fault(channel):
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with refused("INVALID_ARGUMENT", "not a tensorflow.serving.PredictRequest"):
        call(b"\xff\xff\xff")
    with refused("INVALID_ARGUMENT", "not a tensorflow.serving.PredictRequest"):
        call(b"\x0a\x06\x0a\x04tiny\x3c\x0a\x00")  # the end of a group that never began
    for method in ("PredictionService/Guess", "SessionService/SessionRun"):
        with refused("UNIMPLEMENTED"):
            channel.unary_unary(f"/tensorflow.serving.{method}")(b"")


def test_a_refusal_that_quotes_bytes_is_one(api, prediction):
    request = api.Predict()
    request.model_spec.name = "tiny"
    example = api.example()
    example.features.feature["naïve"].bytes_list.value.append(b"\x84")
    group = b"\x2b\x2c"  # which protobuf skips, but TensorFlow's parser does not
    request.inputs["examples"].CopyFrom(api.tensor([b"", example.SerializeToString() + group]))
    with refused("INVALID_ARGUMENT", "row 1, refused by the graph: ", "\\x84"):
        prediction.Predict(request)


def test_damaged_messages_are_the_clients_fault(channel, ask_raw):
    whole, random = ask_raw.SerializeToString(), np.random.default_rng(0)
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    codes = set()
    for _ in range(300):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 5)):
            damaged[at] = random.integers(0, 256)
        try:
            call(bytes(damaged[: random.integers(1, len(whole) + 1)]))
        except grpc.RpcError as error:
            codes.add(error.code().name)
    assert "INVALID_ARGUMENT" in codes
    assert codes <= {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}


def test_a_deadline_is_kept(prediction, ask_raw):
    with refused("DEADLINE_EXCEEDED"):
        prediction.Predict(ask_raw, timeout=1e-6)


def test_no_request_names_a_path(api, channel, exported, prediction, ask_raw):
    request = api.Reload()
    config = request.config.model_config_list.config.add(name="tiny", base_path="/etc")
    model = api.model(channel)
    with refused("PERMISSION_DENIED", "cannot change its base_path"):
        model.HandleReloadConfigRequest(request)
    config.name = "other"
    with refused("NOT_FOUND", "no model 'other'"):
        model.HandleReloadConfigRequest(request)
    config.name, config.base_path = "tiny", exported.saved_model
    config.model_version_policy.specific.versions.append(7)
    with refused("FAILED_PRECONDITION", "no version 7"):
        model.HandleReloadConfigRequest(request)
    del config.model_version_policy.specific.versions[:]
    config.model_version_policy.all.SetInParent()
    config.version_labels["stable"] = 1
    assert model.HandleReloadConfigRequest(request).status.error_code == 0
    ask_raw.model_spec.version_label = "stable"
    assert prediction.Predict(ask_raw).model_spec.version.value == 1
