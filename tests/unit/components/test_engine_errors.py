"""A page of Java and Python becomes one line with the cause, and what to change."""

import pytest

from components.engine_errors import explained, innermost, restored, unsent
from components.versions import refusal
from schemas.errors import DataError, StoreError

FROM_PYTHON = """Pipeline job failed in state FAILED: java.util.concurrent.ExecutionException: \
java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (most \
recent call last):
  File "apache_beam/runners/common.py", line 1498, in process
    return self.do_fn_invoker.invoke_process(windowed_value)
  File "components/examples.py", line 71, in read_row_group
    table = pq.ParquetFile(group.path)
FileNotFoundError: [Errno 2] No such file or directory: '/data/x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/worker/sdk_worker.py", line 311, in _execute
    response = task()
FileNotFoundError: [Errno 2] No such file or directory: '/data/x' [while running 'Read']

\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient.handle(FnApi.java:180)
Caused by: java.lang.IllegalStateException: Something else went wrong meanwhile
"""
FROM_JAVA = """Pipeline job failed in state FAILED: java.io.IOException: it failed
\tat org.apache.flink.Thing.run(Thing.java:1)
Caused by: java.lang.RuntimeException: because of this
Caused by: java.io.IOException: {}
\tat org.apache.flink.Thing.run(Thing.java:2)
"""
FROM_SPARK = """Pipeline x failed in state FAILED: org.apache.spark.SparkException: Job aborted \
due to stage failure: Task 0 in stage 9.0 failed 4 times, most recent failure: Lost task 0.3 in \
stage 9.0 (TID 24) (localhost executor 0): {}
\tat org.apache.spark.Thing.run(Thing.java:1)

Driver stacktrace:
"""


def test_a_workers_own_exception_is_the_cause():
    error = explained("transform", FROM_PYTHON)
    assert error.what == (
        "transform failed on the engine: FileNotFoundError: [Errno 2] No such file or directory:"
        " '/data/x'"
    )


FROM_US = FROM_PYTHON.replace(
    "FileNotFoundError: [Errno 2] No such file or directory: '/data/x'",
    "schemas.errors.StoreError: the store does not answer: Connection refused\n"
    "  where:     gs://bucket/x\n"
    "  to do:     see that it can be reached",
)


def test_what_a_worker_raised_on_purpose_is_raised_as_it_was():
    error = explained("transform", FROM_US)
    assert type(error) is StoreError
    assert error.what == "the store does not answer: Connection refused"
    assert error.where == "gs://bucket/x"
    assert error.remedy == "see that it can be reached"


def test_what_beam_made_one_text_of_in_this_process_has_its_parts_again():
    error = DataError("it is so", where="here", expected="that", remedy="this")
    error_again = restored(DataError(f"{error} [while running 'A/B']"))
    assert (type(error_again), str(error_again)) == (DataError, str(error))
    assert error_again.remedy == "this"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (
            "Insufficient number of network buffers: required 512, but only 422 available.",
            "taskmanager.memory.network.min",
        ),
        ("Direct buffer memory", "taskmanager.memory.task.off-heap.size"),
        ("Java heap space", "taskmanager.memory.process.size"),
        ("No space left on device", "make room"),
        ("File too large: 'x'", "make room"),
        ("Channel closed prematurely", "taskmanager.memory.task.off-heap.size"),
    ],
)
def test_what_is_known_names_the_key_to_change(said, key):
    error = explained("transform", FROM_JAVA.format(said))
    assert said in error.what
    assert key in str(error.remedy)


def test_what_is_unknown_is_the_innermost_cause():
    assert innermost(FROM_JAVA.format("odd")) == "java.io.IOException: odd"
    assert innermost(FROM_SPARK.format("java.lang.Error: odd")) == "java.lang.Error: odd"
    assert innermost("") == "it gave no reason"
    assert innermost("boom\nand more") == "boom"


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (FROM_SPARK.format("x.StatusRuntimeException: {}"), "CANCELLED: call already cancelled."),
        ("Pipeline x failed in state FAILED: bundle 2 failed:{}", "SDK worker disconnected: w[1]"),
    ],
)
def test_a_dead_worker_of_spark_or_prism_is_reported(failed, said):
    error = explained("transform", failed.format(said))
    assert error.what == f"transform failed on the engine: an SDK worker died ({said})"


def test_a_package_that_workers_lack_is_reported():
    text = FROM_PYTHON.replace("FileNotFoundError", "ModuleNotFoundError")
    assert "install this project" in str(explained("transform", text).remedy)


def test_other_versions_on_the_workers_are_reported_first():
    refused = refusal({"pyarrow": "18.1.0"}, {"pyarrow": "10.0.1"})
    error = explained("ingest", FROM_JAVA.format(refused))
    assert error.what == (
        "ingest failed on the engine: the workers' versions are not the command's"
        " (pyarrow is 10.0.1, not 18.1.0)"
    )
    assert "restart `skewless workers`" in str(error.remedy)


def test_a_full_disk_under_tensorflow_is_reported_with_the_file():
    cause = "OutOfRangeError: /data/saved_model.pb; File too large"
    text = FROM_PYTHON.replace(
        "FileNotFoundError: [Errno 2] No such file or directory: '/data/x' [while",
        f"RuntimeError: {cause} [while",
    ).replace("FileNotFoundError: [Errno 2] No such file or directory: '/data/x'", cause)
    assert explained("transform", text).what == (
        f"transform failed on the engine: a disk is full, or a file larger than it may be ({cause})"
    )


def test_endless_words_are_cut():
    assert len(explained("transform", "x" * 2_000).what) < 600


# The text of Beam 2.74's Dataflow client, and of later ones.
REFUSED = [
    """HttpError accessing <https://dataflow.googleapis.com>: response: <{'status': '403'}>, \
content <{"error": {"code": 403, "message": "(b6e1): %s", "status": "PERMISSION_DENIED"}}>""",
    "403 POST https://dataflow.googleapis.com/v1b3/projects/p/jobs: (b6e1): %s",
]


@pytest.mark.parametrize("refused", REFUSED)
def test_googles_refusal_is_reported_in_its_words(refused):
    known = explained("ingest", refused % "Current user cannot act as service account a@b.test")
    assert known.what == (
        "ingest failed on the engine: the account that starts the job may not use the workers'"
        " service account (Current user cannot act as service account a@b.test)"
    )
    assert explained("ingest", refused % "No.").what.endswith("(b6e1): No.")


def test_dead_workers_are_reported_with_the_keys_for_memory():
    error = explained(
        "ingest",
        "SDK harness sdk-0-1 disconnected.",
    )
    assert "runner.dataflow" in str(error.remedy)


def test_expired_credentials_are_reported_with_the_login():
    error = unsent("ingest", "Reauthentication is needed. Please run `gcloud auth login`.")
    assert error.what.startswith(
        "ingest cannot be sent to the engine: Google Cloud does not accept the credentials (Reau"
    )
    assert "gcloud auth application-default login" in str(error.remedy)


def test_the_name_of_a_running_job_is_reported_with_a_remedy():
    said = "There is already active job named taxi with id: 1. If you want to submit a second job"
    assert "--job_name" in str(explained("ingest", said).remedy)


def test_a_job_that_cannot_be_sent_is_not_blamed_on_workers():
    error = unsent("ingest", "[Errno 111] Connection refused")
    assert error.what == "ingest cannot be sent to the engine: [Errno 111] Connection refused"
    assert "workers" not in str(error.remedy)
