"""Reads files of vectors of words: text as word2vec and GloVe write it, and NumPy's format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from schemas.errors import DataError
from schemas.treatments.pretrained import Pretrained
from schemas.vector_files import digest, is_header


def read(options: Pretrained) -> tuple[list[bytes], np.ndarray]:
    """Return the first `top_k` words of a file, and their vectors, float32 [words, numbers].

    Raises:
      DataError: the file is not there, or not the one that pipeline.yaml was checked with, or a
        line is wrong; names file and line.
    """
    path = Path(options.vectors.path)
    if not path.is_file() or digest(path) != options.vectors.sha256:
        state = "has changed since the run began" if path.is_file() else "is not there"
        raise DataError(
            f"the file of vectors {state}", where=str(path), remedy="run the pipeline again"
        )
    if options.terms:
        matrix = np.load(path, mmap_mode="r")[: options.top_k].astype(np.float32)
        _check_finite(matrix, str(path))
        return [term.encode() for term in options.terms[: options.top_k]], matrix
    words: dict[bytes, int] = {}
    matrix = np.zeros((options.top_k, options.vectors.size), np.float32)
    for number, line in _lines(path):
        if len(words) == options.top_k:
            break
        word, *numbers = line.rstrip().rsplit(b" ", options.vectors.size)
        where = f"{path}:{number}"
        if word in words:
            raise DataError(
                f"the word {word.decode(errors='replace')!r} is there twice, first on line"
                f" {words[word]}",
                where=where,
                remedy="remove one of the lines",
            )
        matrix[len(words)] = _numbers(numbers, options.vectors.size, where)
        words[word] = number
    return list(words), matrix[: len(words)]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers, without the header."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not (number == 1 and is_header(line)):
                yield number, line


def _numbers(written: list[bytes], size: int, where: str) -> np.ndarray:
    try:
        found = np.array(list(map(float, written)), np.float64)
    except ValueError as error:
        raise _wrong(f"{error}", size, where) from error
    if len(found) != size:
        raise _wrong(f"there are {len(found)} numbers", size, where)
    if not (np.abs(found) < np.finfo(np.float32).max).all():
        raise _wrong("a number is not finite", size, where)
    return found


def _wrong(what: str, size: int, where: str) -> DataError:
    return DataError(
        f"the line has no vector: {what}",
        where=where,
        expected=f"a word and {size} numbers, separated by single spaces, as on the first line",
        remedy="correct or remove the line, or lower top_k so that it is not read",
    )


def _check_finite(matrix: np.ndarray, path: str) -> None:
    rows = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(rows):
        raise DataError(
            f"row {rows[0]} of the vectors has a number that is not finite",
            where=path,
            expected="finite numbers",
        )
