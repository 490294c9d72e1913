"""The one place where the two dependency lines, and TensorFlow's surroundings, differ.

Each entry says why it is here; everything else in the project is the same on both lines.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


def quiet_environment() -> None:
    """Set what TensorFlow and TFT read from the environment; call before either is imported.

    `import tensorflow_transform` turns `tf.keras` into tf_keras unless TF_USE_LEGACY_KERAS is set;
    the other variables keep native log lines and a missing accelerator off the terminal.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


# What TensorFlow's C++ code tells at level INFO, and the heading that its log library gives it.
_TOLD_WHILE_LOADED = re.compile(rb"WARNING: All log messages before absl::InitializeLog|I\d{4} ")


@contextlib.contextmanager
def quiet_imports() -> Iterator[None]:
    """Set the quiet environment, and keep off standard error what imports of TensorFlow tell there.

    TensorFlow 2.21 writes of oneDNN and CUDA before its log library has read any setting. Whatever
    else comes to standard error meanwhile is written at the end.
    """
    quiet_environment()
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as told:
        os.dup2(told.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            told.seek(0)
            for line in told:
                if not _TOLD_WHILE_LOADED.match(line):
                    os.write(2, line)


@contextlib.contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Let packages be as good as not installed while the block runs, unless they are imported.

    TensorFlow imports Keras, and with it scikit-learn, for `tf.keras` alone: half of the seconds
    that its import takes. Whoever only asks a SavedModel can do without.

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
    """Return the options given with a runner set: the in-process one where none is named.

    Beam's default, `DirectRunner`, tries to fetch and start another runner since Beam 2.68;
    FnApiRunner is the one it falls back to, without the attempt. TFX is given no runner
    either: with any Beam argument at all it packs an sdist of itself for every stage.
    """
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    chosen = PipelineOptions([]) if options is None else options
    standard = chosen.view_as(StandardOptions)
    standard.runner = standard.runner or "FnApiRunner"
    return chosen


def dataflow_refusals() -> tuple[type[Exception], ...]:
    """Return what Beam raises when Dataflow fails a job or refuses it, or its store a file.

    Beam 2.74 asks Dataflow through apitools, 2.75 and later through Google's own clients.
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
    """Return what Google's clients raise when nobody answers, or they may not even ask.

    Beam 2.74's asks through httplib2, whose own errors are none of Python's.
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
    """Return how important a message of a job's is, such as "ERROR", and its text.

    Beam 2.74's client has other names for both than that of 2.75 and later.
    """
    importance = getattr(message, "messageImportance", None) or getattr(
        message, "message_importance", ""
    )
    name = getattr(importance, "name", str(importance))
    text = getattr(message, "messageText", None) or getattr(message, "message_text", "")
    return name.removeprefix("JOB_MESSAGE_"), str(text)


def keep_pyarrow_off_the_heap() -> None:
    """Spare pyarrow's CSV reader a walk over all Python objects at every call.

    On Python 3.10 it looks for frames that a fault of Python (bpo-42248) might have kept alive:
    0.1 s a call once TensorFlow is loaded. All it would free is one frame, which the garbage
    collector frees too.
    """
    import pyarrow as pa

    pa.lib.have_signal_refcycle = False


def refuse_pickled_arrow_types() -> None:
    """Keep pyarrow from unpickling the extension types that a file brings along (CVE-2023-47248).

    pyarrow 14.0.1 and later do so by themselves.
    """
    import pyarrow as pa
    from packaging.version import Version

    if Version(pa.__version__) < Version("14.0.1"):
        import pyarrow_hotfix  # noqa: F401 - importing it registers a type that refuses
