"""Makes a SavedModel the next version in a serving folder, so that it is there whole or not at all.

The folder is the one that TensorFlow Serving watches. A push that is killed at any moment leaves
every version unchanged; what it copied so far is not a version, and the next push removes it. A
version has exactly the bytes that were judged: they are digested after they were copied.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from components import files
from components.evaluate.published import SAVED_MODEL, changed, content_digest, versions
from schemas.errors import ModelError, SkewlessError, StoreError

# Neither is a number, so TensorFlow Serving passes them over.
_LOCK = ".push.lock"
_INCOMING = ".push.incoming"
_CLAIM = ".push.claim-"  # in a store, which has no locks
_CLAIM_SECONDS = 900

Beside = Callable[[], Mapping[str, str]]
_NO_VERDICTS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Pushed:
    """Where a model is served from.

    Attributes:
      version: its number.
      path: its folder.
      new: False if the newest version was this very model already.
    """

    version: int
    path: str
    new: bool


def push(
    saved_model: str,
    serving_dir: str,
    beside: Beside = dict,
    verdicts: Mapping[str, str] = _NO_VERDICTS,
) -> Pushed:
    """Publish a SavedModel as the version after the highest, unless it is the newest already.

    Pushes to one folder take turns, so two at once get two versions; in a store, where nobody can
    wait, the later one is refused.

    Args:
      saved_model: folder of the SavedModel.
      serving_dir: the model base path of the server; made if missing.
      beside: returns the texts to write beside the SavedModel, by file name; asked only if the
        version is new, as `published.content_digest` does not count what describes a model.
      verdicts: `published.content_digest` of the SavedModel that each verdict is about, by the
        verdict's name.

    Raises:
      ModelError: there is no SavedModel, it is another one than a verdict is about, or it changed
        while it was copied.
      SkewlessError: the serving folder cannot be written; no version was added or changed.
    """
    if not files.is_file(os.path.join(saved_model, SAVED_MODEL)):
        raise ModelError("there is no SavedModel to push", where=saved_model)
    if files.in_store(serving_dir):
        return _push_to_store(saved_model, serving_dir, beside, verdicts)
    with files.at_hand(saved_model) as model:
        return _push_to_disk(model, serving_dir, beside, verdicts)


def _check_verdicts(digest: str, verdicts: Mapping[str, str], *, where: str) -> None:
    """Check that a SavedModel is the one that every verdict is about.

    Raises:
      ModelError: it is not.
    """
    others = [
        f"the {name} is about {judged or 'no known one'}"
        for name, judged in verdicts.items()
        if judged != digest
    ]
    if others:
        raise ModelError(
            f"the exported SavedModel is not the one that was judged: its SHA-256 is {digest},"
            f" but {' and '.join(others)}",
            where=where,
            expected="the bytes that were evaluated and proven",
            remedy="run again, which exports and judges a new one; nothing was pushed",
        )


def _push_to_disk(
    saved_model: str, serving_dir: str, beside: Beside, verdicts: Mapping[str, str]
) -> Pushed:
    megabytes = _megabytes(saved_model)
    try:
        os.makedirs(serving_dir, exist_ok=True)
        with _turn(serving_dir):
            pushed = _publish(saved_model, serving_dir, beside, verdicts)
    except OSError as error:
        raise SkewlessError(
            f"the model cannot be pushed: {error.strerror or error}",
            where=error.filename2 or error.filename or serving_dir,
            expected=f"room for {megabytes:,.1f} MB, and leave to write",
            remedy="mend this and run again; the versions being served are as they were",
        ) from error
    _sync_folder(serving_dir)  # not new, too: the push that made it may have died before this line
    return pushed


def _push_to_store(
    saved_model: str, serving_dir: str, beside: Beside, verdicts: Mapping[str, str]
) -> Pushed:
    """Publish file by file, the graph last: without it, no folder is a version.

    What is sent is a copy of our own, which nobody changes once it was digested.
    """
    with _claim(serving_dir), tempfile.TemporaryDirectory(prefix="skewless-") as copy:
        files.copy_tree(saved_model, copy)
        digest = content_digest(copy)
        _check_verdicts(digest, verdicts, where=saved_model)
        found = _newest(serving_dir, digest)
        if not found.new:
            return found
        path = found.path
        files.remove(path)  # of a push that died
        try:
            files.copy_tree(copy, path, without=[SAVED_MODEL])
            for name, text in beside().items():
                files.write_whole(os.path.join(path, name), text)
            files.copy_file(os.path.join(copy, SAVED_MODEL), os.path.join(path, SAVED_MODEL))
        except BaseException:
            with contextlib.suppress(StoreError):  # the next push removes it, too
                files.remove(path)
            raise
        return found


def _newest(serving_dir: str, digest: str) -> Pushed:
    """Return the newest version if it has this digest, else the one that comes after it."""
    published = versions(serving_dir)
    newest = max(published, default=0)
    if newest and content_digest(published[newest]) == digest:
        return Pushed(newest, published[newest], new=False)
    return Pushed(newest + 1, os.path.join(serving_dir, str(newest + 1)), new=True)


@contextlib.contextmanager
def _claim(serving_dir: str) -> Iterator[None]:
    """Check that no other push to this store's folder is at work.

    Each writes a claim, then looks for others': of two at once at least one sees the other.
    """
    own = f"{_CLAIM}{uuid.uuid4().hex}"
    files.write_whole(os.path.join(serving_dir, own), "at work")
    try:
        for entry in files.entries(serving_dir):
            name = os.path.relpath(entry.path, serving_dir)
            old = time.time_ns() - entry.changed > _CLAIM_SECONDS * 1_000_000_000
            if name.startswith(_CLAIM) and name != own and not old:
                raise SkewlessError(
                    "another push is at work here",
                    where=entry.path,
                    remedy="run again when it is through; one that died gives way after"
                    f" {_CLAIM_SECONDS // 60} minutes, or when that object is removed",
                )
        yield
    finally:
        files.remove(os.path.join(serving_dir, own))


def _publish(
    saved_model: str, serving_dir: str, beside: Beside, verdicts: Mapping[str, str]
) -> Pushed:
    incoming = os.path.join(serving_dir, _INCOMING)
    # It is our turn: the process that left this is dead.
    shutil.rmtree(incoming, ignore_errors=True)
    digest = content_digest(saved_model)
    _check_verdicts(digest, verdicts, where=saved_model)
    found = _newest(serving_dir, digest)
    if not found.new:
        return found
    try:
        _copy_durably(saved_model, incoming)
        if (copied := content_digest(incoming)) != digest:
            raise changed(saved_model, digest, copied)
        for name, text in beside().items():
            _write_durably(os.path.join(incoming, name), text)
        _sync_folder(incoming)
        os.rename(incoming, found.path)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    return found


@contextlib.contextmanager
def _turn(serving_dir: str) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends, however it ends."""
    lock = os.open(os.path.join(serving_dir, _LOCK), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _copy_durably(source: str, target: str) -> None:
    """Copy a folder so that it survives a power cut: each file synced, then its folder."""
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            copy = os.path.join(target, entry.name)
            if entry.is_dir():
                _copy_durably(entry.path, copy)
            else:
                _copy_file_durably(entry.path, copy)
    _sync_folder(target)


def _copy_file_durably(source: str, target: str) -> None:
    with open(source, "rb") as reader, open(target, "xb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())


def _write_durably(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as writer:
        writer.write(text)
        writer.flush()
        os.fsync(writer.fileno())


def _sync_folder(path: str) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _megabytes(folder: str) -> float:
    sizes = (
        os.path.getsize(os.path.join(parent, name))
        for parent, _, names in os.walk(folder)
        for name in names
    )
    return sum(sizes) / 1e6
