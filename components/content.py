"""SHA-256 digests of the contents of files.

SHA-256 is the fastest hash of the standard library if the processor has instructions for it: 0.8
CPU seconds per GiB, compared with 1.8 for MD5 and 1.9 for BLAKE2b. hashlib releases the interpreter
lock while it computes, so several files are read in parallel.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from components import files

_CHUNK = 1 << 20
_AT_ONCE = 8  # files that are read in parallel
_WORTH_THREADS = 16 << 20  # bytes: fewer are read before threads have started


def of_files(sizes: Mapping[str, int]) -> dict[str, str]:
    """Return the SHA-256 of each file's content, as hexadecimal.

    Args:
      sizes: the size of each file in bytes, by path; used to decide how to read them.

    Raises:
      OSError: a file cannot be read.
      StoreError: a store does not answer, or refuses.
    """
    if len(sizes) < 2 or sum(sizes.values()) < _WORTH_THREADS:
        return {path: _of_file(path) for path in sizes}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(sizes, pool.map(_of_file, sizes), strict=True))


def of_folder(folder: str, without: Collection[str] = ()) -> str:
    """Return a SHA-256 over the names and contents of all files below a folder, as hexadecimal.

    Args:
      folder: the folder; its own path does not count.
      without: relative paths of files that do not count.

    Raises:
      OSError: a file cannot be read.
      StoreError: a store does not answer, or refuses.
    """
    sizes = {entry.path: entry.size for entry in files.entries(folder)}
    names = {path: files.below(path, folder) for path in sizes}
    counted = {path: size for path, size in sizes.items() if names[path] not in without}
    digests = of_files(counted)
    return combined((names[path], digest) for path, digest in digests.items())


def combined(contents: Iterable[tuple[str, str]]) -> str:
    """Return one digest for pairs of a file's name and the hexadecimal digest of its content."""
    whole = hashlib.sha256()
    for name, digest in sorted(contents):
        # A NUL is in no file name, and digests have equal lengths, so no two folders are alike.
        whole.update(os.fsencode(name) + b"\0" + bytes.fromhex(digest))
    return whole.hexdigest()


def _of_file(path: str) -> str:
    digest, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    with files.open_read(path) as file:
        while size := file.readinto(chunk):  # type: ignore[attr-defined]  # IO lacks it, files have it
            digest.update(chunk[:size])
    return digest.hexdigest()
