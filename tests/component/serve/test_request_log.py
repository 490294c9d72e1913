"""The log is read by TensorFlow's own reader and TensorFlow Serving's own messages."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import prediction_log_pb2

from components.serve.messages import Exchange
from components.serve.request_log import RequestLog, RequestLogSettings, files

pytestmark = pytest.mark.component

ROOT = Path(__file__).parents[3]
COLUMNS = {
    "fare": np.array([1.5, np.nan], np.float32),
    "hour": np.array([7, np.nan], np.float64),
    "company": np.array([b"nul\0", b""], object),
}
SCORES = {"scores": np.array([0.25, 0.75], np.float32)}


def example(fare):
    made = example_pb2.Example()
    made.features.feature["fare"].float_list.value.append(fare)
    return made.SerializeToString()


EXAMPLES = np.array([example(1.5), example(2.5)], object)

KILLED = """
import os, signal, sys, time
import numpy as np
from components.serve.messages import Exchange
from components.serve.request_log import RequestLog, RequestLogSettings, files
log = RequestLog(RequestLogSettings(sys.argv[1]))
rows = {"x": np.zeros(1, np.float32)}
for _ in range(20):
    log.answered(Exchange("rest", "predict", "m", 1, "raw", 1, 200, 0.1, "", rows, rows))
while log.written < 20:
    time.sleep(0.01)  # a loop that spins keeps the log's thread from running
os.kill(os.getpid(), signal.SIGKILL)
"""


def exchange(method, signature, inputs, outputs):
    return Exchange("rest", method, "taxi", 3, signature, 2, 200, 0.1, "", inputs, outputs)


def read(folder):
    paths = [os.path.join(folder, name) for name in files(str(folder))]
    records = tf.data.TFRecordDataset(paths).as_numpy_iterator()
    return [prediction_log_pb2.PredictionLog.FromString(record) for record in records]


@pytest.fixture
def written(tmp_path):
    """Log exchanges with a sample of 1, and return the records."""

    def write(*exchanges):
        log = RequestLog(RequestLogSettings(str(tmp_path / "logs")))
        for each in exchanges:
            log.answered(each)
        log.close()
        assert (log.written, log.failed) == (len(exchanges), 0)
        assert all(name.endswith(".tfrecord") for name in os.listdir(tmp_path / "logs"))
        return read(tmp_path / "logs")

    return write


def test_predict_keeps_every_value(written):
    (log,) = written(exchange("predict", "raw_columns", COLUMNS, SCORES))
    request, response = log.predict_log.request, log.predict_log.response
    for name, array in COLUMNS.items():
        back = tf.make_ndarray(request.inputs[name])
        np.testing.assert_array_equal(back, array)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["scores"]), SCORES["scores"])
    for spec in (request.model_spec, response.model_spec, log.log_metadata.model_spec):
        assert (spec.name, spec.version.value, spec.signature_name) == ("taxi", 3, "raw_columns")
    assert log.log_metadata.sampling_config.sampling_rate == 1
    assert list(log.log_metadata.saved_model_tags) == ["serve"]


def test_classify_and_regress_are_logged_as_such(written):
    classes = {
        "classes": np.array([[b"0", b"1"]] * 2, object),
        "scores": np.array([[0.75, 0.25], [0.5, 0.5]], np.float32),
    }
    values = {"outputs": np.array([0.25, 0.5], np.float32)}
    classified, regressed = written(
        exchange("classify", "classification", {"inputs": EXAMPLES}, classes),
        exchange("regress", "regression", {"inputs": EXAMPLES}, values),
    )
    for log in (classified.classify_log, regressed.regress_log):
        examples = log.request.input.example_list.examples
        fares = [e.features.feature["fare"].float_list.value[0] for e in examples]
        assert fares == [1.5, 2.5]
    found = classified.classify_log.response.result.classifications
    assert [[(c.label, c.score) for c in row.classes] for row in found] == [
        [("0", 0.75), ("1", 0.25)],
        [("0", 0.5), ("1", 0.5)],
    ]
    assert [r.value for r in regressed.regress_log.response.result.regressions] == [0.25, 0.5]


def test_what_was_written_survives_a_kill(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path)],
        cwd=ROOT,
        timeout=120,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    (name,) = os.listdir(tmp_path)
    assert name.endswith(".partial")
    assert len(read(tmp_path)) == 20
