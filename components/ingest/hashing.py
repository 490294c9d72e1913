"""Hashes key columns to 64 bits for each row, and shuffles records repeatably.

The hash depends only on the values of the key columns in the given order: not on other columns or
rows, the machine, or the versions of numpy and pyarrow. Changing it moves rows between splits of
existing data, so `test_hashing.py` has golden values.

Definition, all modulo 2^64, `mix` being one step of splitmix64 (Steele, Lea and Flood 2014, with
Stafford's variant 13 as finalizer; https://prng.di.unimi.it/splitmix64.c):

    row    h = SEED; for each key column: h = mix(h ^ value)
    INT    value = mix(INT_TAG ^ the int64 as two's complement)
    FLOAT  value = mix(FLOAT_TAG ^ the float32's bits), with -0.0 as 0.0
    FLOAT_TEXT  as FLOAT, with FLOAT64_TAG and the float64's bits
    BYTES  value = BYTES_TAG; for each 8 bytes of UTF-8, little-endian and padded at the end with
           zeros: value = mix(value ^ the word); finally value = mix(value ^ length in bytes)
    null   value = NULL
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

# Fractional digits of pi, which are arbitrary.
SEED = np.uint64(0x243F6A8885A308D3)
INT_TAG = np.uint64(0x13198A2E03707344)
FLOAT_TAG = np.uint64(0xA4093822299F31D0)
BYTES_TAG = np.uint64(0x082EFA98EC4E6C89)
NULL = np.uint64(0x452821E638D01377)
FLOAT64_TAG = np.uint64(0xBE5466CF34E90C6C)

# _LOW_BYTES[n] keeps the first n bytes of a little-endian word.
_LOW_BYTES = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)


def mix(x: np.ndarray) -> np.ndarray:
    """Return one splitmix64 step of each uint64: a bijection that flips about half of the bits."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def hash_rows(columns: Iterable[pa.Array]) -> np.ndarray:
    """Hash rows by their values in these columns, at least one.

    They are int64, float32, float64 or string.

    Returns:
      uint64 of shape [rows].
    """
    hashes: np.ndarray | None = None
    for column in columns:
        hashes = mix((SEED if hashes is None else hashes) ^ _hash_values(column))
    if hashes is None:
        raise ValueError("give at least one key column")
    return hashes


def scatter(stream: int, numbers: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return a pseudo-random number in [0, bins[i]) for each row, shape [rows].

    Args:
      stream: selects the sequence of numbers, such as a file's position among the files.
      numbers: int64 of shape [rows], each row's number in the sequence.
      bins: int64 of shape [rows].
    """
    draws = _draws(stream, numbers) >> np.uint64(11)
    return (draws % bins.astype(np.uint64)).astype(np.int64)


def permutation(stream: int, rows: int) -> np.ndarray:
    """Return the numbers below `rows` in a pseudo-random order, the same for equal arguments."""
    return np.argsort(_draws(stream, np.arange(rows)), kind="stable")


def _draws(stream: int, numbers: np.ndarray) -> np.ndarray:
    """Return those of a sequence of pseudo-random uint64s that have these numbers."""
    start = mix(np.array([stream], dtype=np.uint64) ^ SEED)
    return mix(mix(numbers.astype(np.uint64)) ^ start)


def _hash_values(column: pa.Array) -> np.ndarray:
    if pa.types.is_string(column.type):
        hashes = _hash_text(column)
    elif pa.types.is_float32(column.type):
        values = column.fill_null(0).to_numpy() + np.float32(0)  # -0.0 + 0.0 is 0.0
        hashes = mix(values.view(np.uint32).astype(np.uint64) ^ FLOAT_TAG)
    elif pa.types.is_float64(column.type):
        wide = column.fill_null(0).to_numpy() + np.float64(0)
        hashes = mix(wide.view(np.uint64) ^ FLOAT64_TAG)
    elif pa.types.is_int64(column.type):
        hashes = mix(column.fill_null(0).to_numpy().view(np.uint64) ^ INT_TAG)
    else:
        raise TypeError(f"a key column is int64, float32, float64 or string, got {column.type}")
    if column.null_count:
        hashes[np.asarray(column.is_null())] = NULL
    return hashes


def _hash_text(column: pa.Array) -> np.ndarray:
    """Hash strings eight bytes at a time: each round takes the next word of all long enough."""
    if not len(column):
        return np.empty(0, np.uint64)
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset :][: len(column) + 1]
    lengths = np.diff(offsets)
    values = b"" if column.buffers()[2] is None else column.buffers()[2].to_pybytes()
    # the eight bytes that start at every byte, padded at the end with zeros
    words = np.ndarray(len(values) + 1, "<u8", buffer=values + bytes(8), strides=(1,))
    hashes = np.full(len(column), BYTES_TAG)
    rows, done = np.flatnonzero(lengths), 0
    while rows.size:
        left = lengths[rows] - done
        word = words[offsets[rows] + done] & _LOW_BYTES[np.minimum(left, 8)]
        hashes[rows] = mix(hashes[rows] ^ word)
        rows, done = rows[left > 8], done + 8
    return mix(hashes ^ lengths.astype(np.uint64))
