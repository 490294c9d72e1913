"""TFRecords and tf.Examples as bytes, without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import google_crc32c
import numpy as np


def framed(record: bytes) -> bytes:
    """Return a record as a TFRecord file has it."""
    length = struct.pack("<Q", len(record))
    return length + masked(length) + record + masked(record)


def masked(data: bytes) -> bytes:
    """Return the checksum of data as TFRecords hold it."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def example(features: Mapping[str, Sequence[bytes | float | int] | None]) -> bytes:
    """Return a serialised tf.Example; None is a feature without a kind, [] a list of floats."""
    entries = (
        _field(1, _field(1, name.encode()) + _field(2, _feature(values)))
        for name, values in features.items()
    )
    return _field(1, b"".join(entries))


def _feature(values: Sequence[bytes | float | int] | None) -> bytes:
    if values is None:
        return b""
    if values and isinstance(values[0], bytes):
        return _field(1, b"".join(_field(1, v) for v in values if isinstance(v, bytes)))
    if values and isinstance(values[0], int):
        return _field(3, _field(1, b"".join(_varint(int(v) % 2**64) for v in values)))
    with np.errstate(over="ignore"):
        floats = np.array(values, np.float64).astype("<f4")
    return _field(2, _field(1, floats.tobytes()))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])
