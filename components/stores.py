"""Objects in object stores as files, with readable errors.

Paths are `gs://BUCKET/NAME` and `s3://BUCKET/NAME`. Other modules use `components/files`; they use
this one only to check that a store works. The stores' clients are imported when needed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from components import store_clients
from components.store_clients import Client, StoredObject, Version
from components.store_errors import ConditionError, bucket_of, readable_errors
from components.store_patience import limited

SCHEMES = ("gs://", "s3://")
_BUFFER = 16 << 20  # bytes that are fetched at once
_AT_ONCE = 8  # objects that are copied or removed in parallel
_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def check(path: str) -> None:
    """Check that a path's store answers and has the bucket; sends one request, with a short limit.

    Raises:
      StoreError: it does not; has the reason and a remedy.
    """
    with _asking(path) as (client, bucket, _):
        client.check(bucket)


def check_writable(path: str) -> None:
    """Check in addition that objects can be written and removed below a folder."""
    check(path)
    probe = f"{path.rstrip('/')}/.skewless-probe"
    sent(io.BytesIO(b"skewless"), probe)
    removed(probe)


def is_object(path: str) -> bool:
    """Return whether there is an object of this name."""
    return _found(path) is not None


def listed(folder: str) -> list[tuple[str, int, int]]:
    """Return path, size and time of the last change of every object below a folder."""
    return [_entry(folder, each) for each in _listed(f"{folder.rstrip('/')}/")]


def matched(pattern: str) -> list[tuple[str, int, int]]:
    """Return the same for every object that matches a path or pattern.

    In a pattern, `*` and `?` do not match a `/`, `**` does, and `[…]` is one of these characters.
    """
    if (exact := _found(pattern)) is not None:
        return [_entry(pattern, exact)]
    start = re.split("[*?[]", pattern, maxsplit=1)[0]
    if start == pattern:
        return []
    parts = re.findall(r"\*\*|\[[^]]+\]|.", pattern[len(start) :], re.DOTALL)
    wild = re.compile("".join(map(_expression, parts)), re.DOTALL)
    entries = (_entry(pattern, each) for each in _listed(start))
    return [entry for entry in entries if wild.fullmatch(entry[0], len(start))]


def _expression(part: str) -> str:
    """Return a part of a pattern as a regular expression."""
    if len(part) > 2:
        inside = re.sub(r"[][\\&~|^]", r"\\\g<0>", part[1:-1])
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return _WILD.get(part) or re.escape(part)


def tags(prefix: str) -> dict[str, str]:
    """Return an identifier of each object's content, for all paths with this prefix.

    Raises:
      StoreError: the store does not answer, or refuses.
    """
    return {_entry(prefix, each)[0]: each.content for each in _listed(prefix)}


def opened(path: str) -> IO[bytes]:
    """Open an object for reading; fetches only the ranges that are read.

    Raises:
      FileNotFoundError: there is none.
      StoreError: the store does not answer, or refuses.
    """
    with _asking(path) as (client, bucket, name):
        size = client.found(bucket, name).size
    return io.BufferedReader(_Object(path, size), _BUFFER)


def sent(file: IO[bytes], path: str) -> None:
    """Write an object with the content of a file, atomically.

    Raises:
      StoreError: the store does not answer, or refuses.
    """
    with _asking(path) as (client, bucket, name):
        client.sent(bucket, name, file)


def version(path: str) -> Version | None:
    """Return the current version of an object; None if there is none."""
    with contextlib.suppress(FileNotFoundError), _asking(path) as (client, bucket, name):
        return client.version(bucket, name)
    return None


def written_if(path: str, data: bytes, tag: str | None) -> str | None:
    """Write an object if it still has this version, or still does not exist if `tag` is None.

    Returns:
      The new version's tag; None if another process wrote it meanwhile, and nothing is changed.
    """
    try:
        with _asking(path) as (client, bucket, name):
            return client.written_if(bucket, name, data, tag)
    except ConditionError:
        # If a request was repeated, the first one may have succeeded.
        now = version(path)
        return now.tag if now is not None and now.data == data else None


def copied(pairs: Sequence[tuple[str, str]]) -> None:
    """Copy objects within a store, given as pairs of old and new path."""
    _at_once(_copy, pairs)


def renamed(pairs: Sequence[tuple[str, str]]) -> None:
    """Move objects within a store, given as pairs of old and new path."""

    def move(pair: tuple[str, str]) -> None:
        _copy(pair)
        with _asking(pair[0]) as (client, bucket, name):
            client.removed(bucket, name)

    _at_once(move, pairs)


def removed(path: str) -> None:
    """Remove an object, and all objects below a folder of this name."""

    def remove(each: str) -> None:
        with contextlib.suppress(FileNotFoundError), _asking(each) as (client, bucket, name):
            if name:
                client.removed(bucket, name)

    below = [_entry(path, each)[0] for each in _listed(f"{path.rstrip('/')}/", folders=True)]
    _at_once(remove, below if path.endswith("/") else [path, *below])


class _Object(io.RawIOBase):
    """An object as a file of the standard library; its errors are readable."""

    def __init__(self, path: str, size: int) -> None:
        super().__init__()
        self._path, self._size, self._at = path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readall(self) -> bytes:
        return self._fetched(self._size)

    def readinto(self, buffer: Any) -> int:
        data = self._fetched(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _fetched(self, most: int) -> bytes:
        start, end = self._at, min(self._at + most, self._size)
        if start >= end:
            return b""
        with _asking(self._path) as (client, bucket, name):
            data = client.fetched(bucket, name, start, end)
        self._at += len(data)
        return data


@contextlib.contextmanager
def _asking(path: str) -> Iterator[tuple[Client, str, str]]:
    """Yield a path's client, bucket and name; raise readable errors.

    Requests are not repeated for longer than the limit in `store_patience`.
    """
    bucket, scheme = bucket_of(path), path[: len("gs://")]
    with limited(scheme) as seconds, readable_errors(path):
        yield store_clients.client(scheme, seconds), bucket, _name(path, bucket)


def _name(path: str, bucket: str) -> str:
    return path[len(f"gs://{bucket}/") :]


def _copy(pair: tuple[str, str]) -> None:
    with _asking(pair[0]) as (client, bucket, name):
        to_bucket = bucket_of(pair[1])
        client.copied(bucket, name, to_bucket, _name(pair[1], to_bucket))


def _found(path: str) -> StoredObject | None:
    with contextlib.suppress(FileNotFoundError), _asking(path) as (client, bucket, name):
        return client.found(bucket, name) if name and not name.endswith("/") else None
    return None


def _listed(prefix: str, *, folders: bool = False) -> list[StoredObject]:
    """Return the objects whose paths have this prefix, without those that stand for folders."""
    with _asking(prefix) as (client, bucket, name):
        # a name that ends in `/` is a folder, as a store's console creates it
        return [f for f in client.listed(bucket, name) if folders or not f.name.endswith("/")]


def _entry(path: str, entry: StoredObject) -> tuple[str, int, int]:
    root = path[: len("gs://")] + bucket_of(path)
    return f"{root}/{entry.name}", entry.size, int(1e9 * entry.changed)


def _at_once(act: Callable[[Any], None], items: Sequence[Any]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done in [pool.submit(act, item) for item in items]:
            done.result()
