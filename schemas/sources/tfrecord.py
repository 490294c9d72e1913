"""Options of TFRecord files."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.sources.options import FileOptions


class TfRecord(FileOptions):
    """TFRecord files of tf.Examples, plain or gzipped; `null_values` and `trim` apply to text."""

    endings: ClassVar[tuple[str, ...]] = tuple(
        f".{name}{packed}" for name in ("tfrecord", "tfrecords") for packed in ("", ".gz")
    )
    has_header: ClassVar[bool] = False

    format: Literal["tfrecord"] = "tfrecord"
