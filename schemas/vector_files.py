"""Files of vectors of words: what is known of one before it is read."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import IO, Annotated, NamedTuple

import pydantic

from schemas.errors import ConfigError
from schemas.text_files import or_file

_BLOCK = 1 << 20
_LONGEST = 1 << 20  # bytes of a line
NUMPY = ".npy"
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(rb"\d+ \d+")  # word2vec: how many words, and numbers of each


class VectorFile(NamedTuple):
    """A file of vectors.

    Attributes:
      path: of it.
      sha256: the digest of its content, so that another content is another treatment.
      size: how many numbers a vector has.
      rows: how many vectors there are, if the file says it; else 0.
    """

    path: str
    sha256: str
    size: int
    rows: int = 0


def describe(path: Path) -> VectorFile:
    """Return what a file begins with, and its digest.

    Raises:
      FileNotFoundError: there is no such file.
      ConfigError: it has no vectors; names file and line.
    """
    with path.open("rb") as file:
        rows, size = (_of_numpy if path.suffix == NUMPY else _of_text)(file, path)
    if size < 1:
        raise ConfigError(
            "the file has no vectors",
            where=f"{path}:1",
            expected="a word and its numbers a line, separated by spaces, or .npy",
        )
    return VectorFile(path=str(path), sha256=digest(path), size=size, rows=rows)


def digest(path: Path) -> str:
    """Return the digest of a file's content."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
    return hashed.hexdigest()


def is_header(line: bytes) -> bool:
    """Whether a file's first line only says how many words follow.

    >>> is_header(b"400000 300"), is_header(b"the 0.1 0.2")
    (True, False)
    """
    return _HEADER.fullmatch(line.strip()) is not None


def _of_text(file: IO[bytes], path: Path) -> tuple[int, int]:
    first = file.readline(_LONGEST)
    if is_header(first):
        return 0, int(first.split()[1])
    return 0, len(first.split()) - 1


def _of_numpy(file: IO[bytes], path: Path) -> tuple[int, int]:
    """Return the shape that the header of NumPy's format has."""
    start = file.read(12)
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    file.seek(8 + width)
    try:
        header = ast.literal_eval(file.read(length).decode("latin1"))
        rows, size = header["shape"]
        floats = str(header["descr"])[1:] in ("f2", "f4", "f8")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError):
        rows, size, floats = 0, 0, False
    if not start.startswith(_MAGIC) or not floats:
        raise ConfigError(
            f"{path.name} has no matrix of floats",
            where=str(path),
            expected="what numpy.save writes of an array [words, numbers] of floats",
        )
    return int(rows), int(size)


# pipeline.yaml has the path of a file, relative to its own folder; stages receive what it is.
Vectors = Annotated[VectorFile, pydantic.BeforeValidator(or_file(describe))]
