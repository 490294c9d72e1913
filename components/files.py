"""Files on this machine's disks or in an object store: the only module that distinguishes them.

A path is a local one, or `gs://BUCKET/…` or `s3://BUCKET/…`, which `components/stores` handles. A
file gets its name only when it is complete. Local paths have no overhead. Errors of a store are
raised as a `StoreError`.

TensorFlow never uses a store's path: it reads the local copy of `at_hand` and writes to the local
folder of `arriving`, so that all stores are supported equally.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from components import local_glob, stores

_CHUNK = 4 << 20
# What a disk says that has no hard links, or no more of them, or none to another disk.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)
_AT_ONCE = 8  # files that are copied in parallel
_PREFIX = "skewless-"


@dataclass(frozen=True)
class Entry:
    """A file in a listing; `changed` is in nanoseconds since 1970."""

    path: str
    size: int
    changed: int


def in_store(path: str) -> bool:
    """Return whether a path is in a store.

    >>> in_store("gs://bucket/rows.csv"), in_store("data/rows.csv")
    (True, False)
    """
    return path.startswith(stores.SCHEMES)


def absolute(path: str) -> str:
    """Return the absolute path, without a `/` at its end."""
    return path.rstrip("/") if in_store(path) else os.path.abspath(path)


def is_file(path: str) -> bool:
    """Return whether there is a file of this name."""
    return stores.is_object(path) if in_store(path) else os.path.isfile(path)


def exists(path: str) -> bool:
    """Return whether there is a file, or a folder; a store's folder exists if it has files."""
    if not in_store(path):
        return os.path.lexists(path)
    return stores.is_object(path) or bool(stores.listed(path))


def names(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if there is no such folder."""
    if in_store(folder):
        return sorted({below(e.path, folder).split("/")[0] for e in entries(folder)})
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def entries(folder: str) -> list[Entry]:
    """Return all files below a folder, sorted by path; none if there is no such folder."""
    if in_store(folder):
        return sorted((Entry(*entry) for entry in stores.listed(folder)), key=lambda e: e.path)
    paths = [os.path.join(at, name) for at, _, files in os.walk(folder) for name in files]
    return [_entry(path) for path in sorted(paths)]


def walk(folder: str) -> list[str]:
    """Return the paths of all files below a folder, relative to it and sorted."""
    return sorted(below(entry.path, folder) for entry in entries(folder))


def below(path: str, folder: str) -> str:
    """Return a path relative to a folder that contains it.

    >>> below("gs://bucket/data/2026/a.csv", "gs://bucket/data/")
    '2026/a.csv'
    """
    return path[len(folder.rstrip("/")) + 1 :]


def find(pattern: str, without: Collection[str] = ()) -> list[Entry]:
    """Return the files that a path or a pattern (`*`, `?`, `[…]`, `**`) names, sorted by path.

    An existing path is taken literally, whatever characters it has. A file that several paths lead
    to, through symbolic links, is returned once.

    Args:
      pattern: the path or pattern.
      without: files to leave out, by their paths and, for links, their real paths. They are not
        looked at.
    """
    if in_store(pattern):
        matched = (Entry(*entry) for entry in stores.matched(pattern))
        return sorted((e for e in matched if e.path not in without), key=lambda e: e.path)
    if not os.path.isfile(pattern):
        paths = local_glob.find(pattern, without)
    else:
        paths = [] if pattern in without else [pattern]
    looked = map(_entry_if_there, sorted(paths))
    return [entry for entry in looked if entry is not None]


def open_read(path: str) -> IO[bytes]:
    """Open a file for reading bytes; it can seek, and gives fewer bytes only at its end.

    Raises:
      OSError: the file does not exist, or cannot be read.
      StoreError: the store does not answer, or refuses.
    """
    return stores.opened(path) if in_store(path) else open(path, "rb")


def arrow_source(path: str) -> Any:
    """Return a file in the form for pyarrow's readers: a local path itself, which is fastest."""
    return open_read(path) if in_store(path) else path


def read_bytes(path: str) -> bytes:
    """Return the content of a file; raises like `open_read`."""
    with open_read(path) as file:
        return file.read()


def read_text(path: str) -> str:
    """Return the UTF-8 text of a file; raises like `open_read`."""
    return read_bytes(path).decode("utf-8")


def write_whole(path: str, data: bytes | str) -> None:
    """Write a file atomically; creates its folders."""
    with whole(path) as partial, open(partial, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def whole(path: str) -> Iterator[str]:
    """Yield a path to write to; after the block, without an error, it becomes the file `path`.

    It is beside the file under a hidden name, or for a store a temporary file that is then sent.
    The name is new each time: an abandoned worker may still be writing the same file.
    """
    if in_store(path):
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
            partial = os.path.join(folder, "file")
            yield partial
            _send(partial, path)
        return
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    partial = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)


def sweep(folder: str) -> None:
    """Remove incomplete files that dead writers left in a folder."""
    if in_store(folder):
        return  # objects are never incomplete
    for path in glob.iglob(os.path.join(glob.escape(folder), ".*.partial")):
        with contextlib.suppress(FileNotFoundError):  # the writer was still alive
            os.remove(path)


@contextlib.contextmanager
def at_hand(folder: str) -> Iterator[str]:
    """Yield a local folder with the files of `folder`: itself, or a temporary copy."""
    if not in_store(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as copy:
        copy_tree(folder, copy)
        yield copy


@contextlib.contextmanager
def arriving(folder: str) -> Iterator[str]:
    """Yield a local folder to write to, whose files are moved to `folder` if the block succeeds."""
    if not in_store(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as made:
        yield made
        copy_tree(made, folder)


def copy_tree(source: str, target: str, without: Collection[str] = ()) -> None:
    """Copy all files below a folder in parallel, except those with these relative paths.

    Raises:
      StoreError: a store does not answer, or refuses.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        copies = [
            pool.submit(copy_file, os.path.join(source, name), os.path.join(target, name))
            for name in walk(source)
            if name not in without
        ]
        for copy in copies:
            copy.result()


def copy_file(source: str, target: str) -> None:
    """Copy one file atomically, from or to a store or on a disk."""
    if not in_store(source) and in_store(target):
        _send(source, target)
        return
    with open_read(source) as reader, whole(target) as partial, open(partial, "wb") as writer:
        shutil.copyfileobj(reader, writer, _CHUNK)


def link_files(pairs: Sequence[tuple[str, str]]) -> None:
    """Give files second names, as pairs of old and new path; none of either may change later.

    On a disk with hard links this takes no room; a store copies the objects.
    """
    in_stores = [pair for pair in pairs if in_store(pair[0]) and in_store(pair[1])]
    stores.copied(in_stores)
    for source, target in pairs:
        if in_store(source) != in_store(target):
            copy_file(source, target)
        elif not in_store(source):
            _link(source, target)


def move(source: str, target: str) -> None:
    """Move a file or a whole folder, replacing a file that is there.

    On one disk it appears at once; to and within a store, file by file.
    """
    if not in_store(source) and not in_store(target):
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        os.replace(source, target)
    elif in_store(source) and in_store(target):
        below = [""] if is_file(source) else [f"/{name}" for name in walk(source)]
        stores.renamed([(source + name, target + name) for name in below])
    else:
        if is_file(source):
            copy_file(source, target)
        else:
            copy_tree(source, target)
        remove(source)


def remove(path: str) -> None:
    """Remove a file, or a folder with everything in it; do nothing if there is none."""
    if in_store(path):
        stores.removed(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def make_folder(folder: str) -> None:
    """Create a folder and its parents; a store's folders exist once they have files."""
    if not in_store(folder):
        os.makedirs(folder, exist_ok=True)


def make_durable(folder: str, within: str) -> None:
    """Flush a folder to the disk, so that it survives a power cut.

    Args:
      folder: the folder; nothing is done for a store.
      within: a parent folder, up to which the names of folders are flushed, too.
    """
    if in_store(folder):
        return
    parents = [folder]
    while parents[-1] != within and os.path.dirname(parents[-1]) != parents[-1]:
        parents.append(os.path.dirname(parents[-1]))
    folders = [at for at, _, _ in os.walk(folder)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # parallel flushes take as long as one
        list(pool.map(_sync, [entry.path for entry in entries(folder)]))
        list(pool.map(_sync, [*folders, *parents[1:]]))


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _send(local: str, path: str) -> None:
    with open(local, "rb") as file:
        stores.sent(file, path)


def _link(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        copy_file(source, target)


def _entry(path: str) -> Entry:
    stat = os.stat(path)
    return Entry(path, stat.st_size, stat.st_mtime_ns)


def _entry_if_there(path: str) -> Entry | None:
    """Return a file's entry; None if it was removed since it was listed."""
    with contextlib.suppress(FileNotFoundError):
        return _entry(path)
    return None
