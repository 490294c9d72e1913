"""The only module for differences between the two dependency lines and TensorFlow's environments.

Each function says why it exists; all other code is the same on both lines.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from apache_beam.options.pipeline_options import PipelineOptions
    from duckdb import DuckDBPyConnection


def quiet_environment() -> None:
    """Set environment variables for TensorFlow and TFT; call this before either is imported.

    `import tensorflow_transform` turns `tf.keras` into tf_keras unless TF_USE_LEGACY_KERAS is set;
    the other variables keep native log lines and a missing accelerator off the terminal.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


# Log messages of TensorFlow's C++ code at level INFO, and the heading of its log library.
_TOLD_WHILE_LOADED = re.compile(rb"WARNING: All log messages before absl::InitializeLog|I\d{4} ")


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Set the quiet environment, and hide what imports of TensorFlow print to standard error.

    TensorFlow 2.21 reports on oneDNN and CUDA before its log library has read any setting. Any
    other output to standard error is written at the end.
    """
    quiet_environment()
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            captured.seek(0)
            for line in captured:
                if not _TOLD_WHILE_LOADED.match(line):
                    os.write(2, line)


@contextlib.contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Make packages appear not installed while the block runs, unless they are imported already.

    TensorFlow imports Keras, and with it scikit-learn, only for `tf.keras`: half of its import
    time. Code that only runs a SavedModel does not need it.

    >>> with absent("keras"):  # doctest: +SKIP
    ...     import tensorflow as tf
    """
    hidden = [name for name in packages if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it raises
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name, name) is None:
                del sys.modules[name]


def beam_options(options: PipelineOptions | None) -> PipelineOptions:
    """Return the options with a runner: the in-process one unless they name another.

    Beam's default, `DirectRunner`, tries to fetch and start another runner since Beam 2.68;
    FnApiRunner is its fallback, without the attempt. TFX gets no runner either: with any Beam
    argument it packs an sdist of itself for every stage.
    """
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    chosen = PipelineOptions([]) if options is None else options
    standard = chosen.view_as(StandardOptions)
    standard.runner = standard.runner or "FnApiRunner"
    return chosen


def dataflow_refusals() -> tuple[type[Exception], ...]:
    """Return what Beam raises when Dataflow fails or refuses a job, or its store refuses a file.

    Beam 2.74 uses apitools for Dataflow, 2.75 and later use Google's clients.
    """
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRuntimeException
    from apache_beam.runners.dataflow.internal.apiclient import DataflowJobAlreadyExistsError
    from google.api_core.exceptions import GoogleAPICallError

    both = (DataflowRuntimeException, DataflowJobAlreadyExistsError, GoogleAPICallError)
    try:
        from apitools.base.py.exceptions import HttpError
    except ImportError:
        return both
    return (*both, HttpError)


def google_unreached() -> tuple[type[Exception], ...]:
    """Return what Google's clients raise if nothing answers, or if they have no credentials.

    Beam 2.74 uses httplib2, whose errors are not subclasses of Python's.
    """
    from google.api_core.exceptions import RetryError
    from google.auth.exceptions import GoogleAuthError

    both = (OSError, RetryError, GoogleAuthError)
    try:
        from httplib2 import HttpLib2Error
    except ImportError:
        return both
    return (*both, HttpLib2Error)


def dataflow_message(message: Any) -> tuple[str, str]:
    """Return the importance of a job's message, such as "ERROR", and its text.

    The clients of Beam 2.74 and of later versions have different names for both.
    """
    importance = getattr(message, "messageImportance", None) or getattr(
        message, "message_importance", ""
    )
    name = getattr(importance, "name", str(importance))
    text = getattr(message, "messageText", None) or getattr(message, "message_text", "")
    return name.removeprefix("JOB_MESSAGE_"), str(text)


def keep_pyarrow_off_the_heap() -> None:
    """Keep pyarrow's CSV reader from walking over all Python objects at every call.

    On Python 3.10 it looks for frames that a bug of Python (bpo-42248) may have kept alive: 0.1 s
    for each call once TensorFlow is loaded. It could only free a single frame, which the garbage
    collector frees, too.
    """
    import pyarrow as pa

    pa.lib.have_signal_refcycle = False


def refuse_pickled_arrow_types() -> None:
    """Keep pyarrow from unpickling extension types in files (CVE-2023-47248).

    pyarrow 14.0.1 and later do not unpickle them.
    """
    import pyarrow as pa
    from packaging.version import Version

    if Version(pa.__version__) < Version("14.0.1"):
        import pyarrow_hotfix  # noqa: F401 - the import registers a type that refuses


def joined_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of Arrow tables, with null in the columns that a table does not have.

    The option for this has another name since pyarrow 14, which warns about the old one.
    """
    import pyarrow as pa

    renamed = int(pa.__version__.partition(".")[0]) >= 14
    option = {"promote_options": "default"} if renamed else {"promote": True}
    return pa.concat_tables(tables, **option)


def result_of(connection: DuckDBPyConnection) -> pa.Table:
    """Return the result of what a connection of DuckDB executed.

    The method has another name in newer versions, which warn about the old one.
    """
    renamed = hasattr(connection, "to_arrow_table")
    return connection.to_arrow_table() if renamed else connection.fetch_arrow_table()


def batches_of(connection: DuckDBPyConnection, rows: int) -> pa.RecordBatchReader:
    """Return a reader of the same, about so many rows at a time; it has another name, too."""
    renamed = hasattr(connection, "to_arrow_reader")
    return connection.to_arrow_reader(rows) if renamed else connection.fetch_record_batch(rows)
