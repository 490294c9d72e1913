"""Object stores through Beam's file systems: objects in and out, and what is wrong in plain words.

Goes in: paths such as `gs://BUCKET/NAME` and `s3://BUCKET/NAME`. Everybody else goes through
`components/files`, and asks this alone whether a store can be used. Beam is imported when needed.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import io
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from components import store_patience
from components.compat import reuse_botocore_models, settle_google_credentials
from components.store_errors import ConditionError, bucket_of, told
from schemas.errors import StoreError

SCHEMES = ("gs://", "s3://")
_CHUNK = 4 << 20
_BUFFER = 1 << 20


def check(path: str) -> None:
    """Hold that a path's store answers and has the bucket; asks once, and does not wait for long.

    Raises:
      StoreError: it does not; tells why and what to do.
    """
    bucket, _ = _bucket_and_name(path)
    with _asking(path):
        if path.startswith("gs://"):
            found = _google(path).list_blobs(bucket, max_results=1, timeout=10, retry=None)
            next(iter(found), None)
        else:
            import boto3
            from botocore.config import Config

            once = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=10)
            boto3.session.Session().client("s3", config=once).list_objects_v2(
                Bucket=bucket, MaxKeys=1
            )


def check_writable(path: str) -> None:
    """Hold besides that something can be put below a folder and taken away again."""
    check(path)
    probe = f"{path.rstrip('/')}/.skewless-probe"
    sent(io.BytesIO(b"skewless"), probe)
    removed(probe)


def is_object(path: str) -> bool:
    """Return whether there is an object of this name."""
    systems = _systems(path)
    if path.endswith("/") or "/" not in path[len("gs://") :]:
        return False
    with _asking(path):
        return bool(systems.exists(path))


def listed(folder: str) -> list[tuple[str, int, int]]:
    """Return path, size and time of the last change of every object below a folder."""
    folder = f"{folder.rstrip('/')}/"
    # Beam has no way to say that a `[` is meant as it stands: any character there, then only ours
    found = _match(f"{re.sub('[*?[]', '?', folder)}**")
    return [entry for entry in found if entry[0].startswith(folder)]


def matched(pattern: str) -> list[tuple[str, int, int]]:
    """Return the same of every object that a path or pattern names."""
    if not is_object(pattern):
        return _match(pattern)
    with _asking(pattern):
        return [_entry(_systems(pattern).get_filesystem(pattern).metadata(pattern))]


def tags(prefix: str) -> dict[str, str]:
    """Return what tells each object's content from others, for all whose path begins like this.

    That is the MD5 where Google keeps one, else the generation, and Amazon's ETag.

    Raises:
      StoreError: the store does not answer, or refuses.
    """
    bucket, name = _bucket_and_name(prefix)
    root = prefix[: len(prefix) - len(name)]
    with _asking(prefix):
        if prefix.startswith("gs://"):
            blobs = _google(prefix).list_blobs(bucket, prefix=name)
            return {root + b.name: b.md5_hash or f"generation {b.generation}" for b in blobs}
        pages = _s3(prefix).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=name)
        return {root + o["Key"]: o["ETag"] for page in pages for o in page.get("Contents", ())}


def opened(path: str) -> IO[bytes]:
    """Open an object for reading; only what is read of it is fetched, in ranges.

    Raises:
      FileNotFoundError: there is none.
      StoreError: the store does not answer, or refuses.
    """
    systems = _systems(path)
    from apache_beam.io.filesystem import CompressionTypes

    with _asking(path):
        file = systems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return io.BufferedReader(_Object(file, path), _BUFFER)


def sent(file: IO[bytes], path: str) -> None:
    """Write an object with what is in a file; it appears when it is whole.

    Raises:
      StoreError: the store does not answer, or refuses.
    """
    systems = _systems(path)
    from apache_beam.io.filesystem import CompressionTypes

    with _asking(path):
        if path.startswith("s3://") and not file.read(1):
            # Beam's writer cannot: it uploads in parts, of which there must be one
            bucket, name = _bucket_and_name(path)
            _s3(path).put_object(Bucket=bucket, Key=name, Body=b"")
            return
        file.seek(0)
        writer = systems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
        try:
            shutil.copyfileobj(file, writer, _CHUNK)
            writer.close()
        except BaseException:
            _abandon(writer, path)
            raise


def _abandon(writer: Any, path: str) -> None:
    """Keep a writer from making an object of what came so far, as it does when it is closed.

    Python closes it at the latest when it forgets it.
    """
    if hasattr(writer, "terminate"):  # Google's
        writer.terminate()
        return
    upload, writer.raw._uploader = writer.raw._uploader, _Nowhere()
    with contextlib.suppress(Exception):  # the store may be what has failed; it lets go in time
        _s3(path).abort_multipart_upload(
            Bucket=upload._bucket, Key=upload._name, UploadId=upload.upload_id
        )


class _Nowhere:
    """Where the rest of an upload goes that was broken off."""

    def put(self, data: Any) -> None:
        """Take what a writer still holds."""

    def finish(self) -> None:
        """Make nothing of it."""


@dataclass(frozen=True)
class Version:
    """What an object holds at a time.

    Attributes:
      data: the bytes.
      tag: what the store tells this version from others by.
      changed: when it was written, in seconds since 1970 by the store's clock.
    """

    data: bytes
    tag: str
    changed: float


def version(path: str) -> Version | None:
    """Return what an object holds now; None where there is none."""
    bucket, name = _bucket_and_name(path)
    with contextlib.suppress(FileNotFoundError), _asking(path):
        if path.startswith("gs://"):
            blob = _google(path).bucket(bucket).blob(name)
            blob.reload()  # the tag first: what is written since then does not pass for this one
            tag, changed = str(blob.generation), blob.updated.timestamp()
            return Version(blob.download_as_bytes(), tag, changed)
        found = _s3(path).get_object(Bucket=bucket, Key=name)
        return Version(found["Body"].read(), found["ETag"], found["LastModified"].timestamp())
    return None


def written_if(path: str, data: bytes, tag: str | None) -> str | None:
    """Write an object that is still this version, or that is still not there if `tag` is None.

    Returns:
      The new version's tag; None where somebody else wrote it meanwhile, and nothing is changed.
    """
    bucket, name = _bucket_and_name(path)
    try:
        with _asking(path):
            if path.startswith("gs://"):
                blob = _google(path).bucket(bucket).blob(name)
                blob.upload_from_string(data, if_generation_match=int(tag or 0))
                return str(blob.generation)
            condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
            done = _s3(path).put_object(Bucket=bucket, Key=name, Body=data, **condition)
            return str(done["ETag"])
    except ConditionError:
        # Of a request that was sent again, the first may have come through.
        now = version(path)
        return now.tag if now is not None and now.data == data else None


def renamed(pairs: Sequence[tuple[str, str]]) -> None:
    """Move objects within a store, given as pairs of old and new path."""
    if not pairs:
        return
    systems = _systems(pairs[0][0])
    with _asking(pairs[0][1]):
        systems.rename([old for old, _ in pairs], [new for _, new in pairs])


def removed(path: str) -> None:
    """Remove an object, and all those below a folder of this name."""
    systems, found = _systems(path), []
    if is_object(path):
        found.append(path if path.startswith("s3://") else glob.escape(path))  # Beam's way
    if listed(path):
        found.append(f"{path.rstrip('/')}/")  # a `/` at the end means all that is below
    if found:
        with _asking(path), _unwarned():
            systems.delete(found)


class _Object(io.RawIOBase):
    """An object of Beam's as the standard library has files; its errors in plain words."""

    def __init__(self, file: Any, path: str) -> None:
        super().__init__()
        self._file, self._path = file, path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _asking(self._path):
            self._file.seek(offset, whence)
            return int(self._file.tell())

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with _asking(self._path):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


@contextlib.contextmanager
def _asking(path: str) -> Iterator[None]:
    """Ask a store for no longer than anyone waits, and raise what it says in plain words."""
    with store_patience.limited(path[: len("gs://")]), told(path):
        yield


def _match(pattern: str) -> list[tuple[str, int, int]]:
    systems = _systems(pattern)
    with _asking(pattern):
        (result,) = systems.match([pattern])
    # a name that ends in `/` is a folder, as a store's console makes one
    return [_entry(found) for found in result.metadata_list if not found.path.endswith("/")]


def _entry(found: Any) -> tuple[str, int, int]:
    return found.path, found.size_in_bytes, int(1e9 * (found.last_updated_in_seconds or 0))


def _systems(path: str) -> Any:
    """Return Beam's FileSystems, once it is known that they can do anything for this path."""
    bucket_of(path)
    systems = _beam()
    if path.startswith("s3://"):
        try:
            import boto3  # noqa: F401 - Beam's own message names neither it nor the remedy
        except ImportError as error:
            raise StoreError(
                "s3:// needs boto3, which is not installed",
                where=path,
                remedy="pip install 'skewless[s3]', on the workers, too",
            ) from error
        reuse_botocore_models()
    else:
        settle_google_credentials()
    return systems


@functools.lru_cache(maxsize=1)
def _beam() -> Any:
    with _unwarned():
        from apache_beam.io.filesystems import FileSystems
        from apache_beam.options.pipeline_options import PipelineOptions
    if FileSystems._pipeline_options is None:  # no pipeline has run here; S3's cannot do without
        FileSystems.set_options(PipelineOptions([]))
    store_patience.install()
    return FileSystems


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """Spare people Google's words on Python's age, and re's on a `[` that Beam escapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _bucket_and_name(path: str) -> tuple[str, str]:
    bucket = bucket_of(path)
    return bucket, path[len(f"gs://{bucket}/") :]


def _google(path: str) -> Any:
    """Return Google's client as Beam makes it, with the same options and credentials."""
    systems = _systems(path)
    from apache_beam.io.gcp.gcsio import GcsIO

    return GcsIO(pipeline_options=systems.get_filesystem(path)._pipeline_options).client


def _s3(path: str) -> Any:
    """Return boto3's client as Beam makes it, likewise."""
    systems = _systems(path)
    from apache_beam.io.aws.clients.s3.boto3_client import Client

    return Client(options=systems.get_filesystem(path)._options).client
