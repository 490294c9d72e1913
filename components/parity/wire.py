"""Arrays between this process and a fresh one: Arrow files.

Values arrive unchanged in every bit, including NaN and NUL, and nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from components.arrow_files import open_arrow


def write_arrays(path: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of [rows] or [rows, n], numbers or `bytes` objects, with equally many rows."""
    batch = pa.RecordBatch.from_arrays([_to_arrow(a) for a in arrays.values()], list(arrays))
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote."""
    with pa.OSFile(path, "rb") as file:
        batch = open_arrow(file, path).get_batch(0)
    return {
        name: _to_numpy(column)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }


def _to_arrow(array: np.ndarray) -> pa.Array:
    flat = pa.array(array.reshape(-1), pa.binary() if array.dtype == object else None)
    return flat if array.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, array.shape[1])


def _to_numpy(array: pa.Array) -> np.ndarray:
    if pa.types.is_fixed_size_list(array.type):
        return _to_numpy(array.flatten()).reshape(len(array), array.type.list_size)
    return array.to_numpy(zero_copy_only=False)
