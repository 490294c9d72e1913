"""The one place where the two dependency lines, and TensorFlow's surroundings, differ.

Each entry says why it is here; everything else in the project is the same on both lines.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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


def keep_pyarrow_off_the_heap() -> None:
    """Spare pyarrow's CSV reader a walk over all Python objects at every call.

    On Python 3.10 it looks for frames that a fault of Python (bpo-42248) might have kept alive:
    0.1 s a call once TensorFlow is loaded. All it would free is one frame, which the garbage
    collector frees too.
    """
    import pyarrow as pa

    pa.lib.have_signal_refcycle = False
