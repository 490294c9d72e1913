"""Unpacks files that are packed by zstd."""

from __future__ import annotations

from typing import IO, Any

import pyarrow as pa


def unpacked(file: IO[bytes]) -> Any:
    """Return the stream of a packed file's content."""
    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
