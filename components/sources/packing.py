"""Unpacks files that are packed as a whole: gzip, bzip2 and zstd, by the ending of the name."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from components.sources.magic import BZIP2, GZIP, ZSTD, FileKind


@dataclass(frozen=True)
class Packing:
    """A way of packing a file.

    Attributes:
      name: for "packed by …".
      ending: of the names of such files.
      kind: what their first bytes are recognized as.
      unpacked: returns the stream of a packed file's content.
    """

    name: str
    ending: str
    kind: FileKind
    unpacked: Callable[[IO[bytes]], Any]


def _unpacked_zstd(file: IO[bytes]) -> Any:
    from components.sources.zstd import unpacked  # imports pyarrow, which the others do not need

    return unpacked(file)


PACKINGS = (
    Packing("gzip", ".gz", GZIP, lambda file: gzip.GzipFile(fileobj=file)),
    Packing("bzip2", ".bz2", BZIP2, bz2.BZ2File),
    Packing("zstd", ".zst", ZSTD, _unpacked_zstd),
)

# What reading a damaged file raises, besides OSError, which may have any cause.
DAMAGES = (gzip.BadGzipFile, EOFError, zlib.error)


def packing_of(path: str) -> Packing | None:
    """Return how a file is packed by its name; None if it is not.

    >>> packing_of("trips.csv.zst").name, packing_of("trips.csv")
    ('zstd', None)
    """
    return next((each for each in PACKINGS if path.endswith(each.ending)), None)
