"""Seals on artifacts: a digest of the content, which ML Metadata keeps with each artifact.

An artifact is sealed when its stage has ended and its files are on the disk, and before ML Metadata
records it as complete. A later run uses it again only if the seal is intact; otherwise the stage
runs again, and the run says why. On a disk the seal is a SHA-256 over names and contents. In a
store it is over names and the store's tags for contents, so that checking it fetches nothing.
"""

from __future__ import annotations

import hashlib
import os

from components import content, files, stores
from pipeline.digest_cache import DigestCache

PROPERTY = "content_digest"  # the artifact's custom property

_SHOWN = 3


class Seals:
    """Makes and checks the seals of one pipeline's artifacts.

    Args:
      artifacts: the folder of all artifacts.
      known: digests of files that were read before.
    """

    def __init__(self, artifacts: str, known: DigestCache) -> None:
        self._artifacts = artifacts
        self._known = known

    def seal(self, folder: str) -> str:
        """Return the digest of an artifact's folder, after its files are flushed to the disk.

        Raises:
          OSError: writing to the disk fails.
          StoreError: the store does not answer, or refuses.
        """
        files.make_durable(folder, self._artifacts)
        return content.combined(self._contents(folder).items())

    def why_broken(self, folder: str, seal: str) -> str | None:
        """Return why an artifact differs from what was sealed; None if it does not.

        Args:
          folder: the artifact's folder.
          seal: its digest when it was made; empty if unknown.

        Raises:
          StoreError: the store does not answer, or refuses.
        """
        if not files.exists(folder):
            return f"{folder} does not exist any more"
        if not seal:
            return f"there is no record of what {folder} held when it was made"
        try:
            now = self._contents(folder)
        except OSError as error:
            return f"{folder} cannot be read: {error}"
        if content.combined(now.items()) == seal:
            return None
        changes = _changes(self._known.before(folder), now)
        return f"{changes or 'its content'} changed since it was made, in {folder}"

    def _contents(self, folder: str) -> dict[str, str]:
        """Return a digest of each file below a folder, by relative path."""
        if files.in_store(folder):
            contents = {
                path: hashlib.sha256(tag.encode()).hexdigest()
                for path, tag in stores.tags(f"{folder.rstrip('/')}/").items()
            }
        else:
            contents = self._known.digests(
                os.path.join(at, name) for at, _, names in os.walk(folder) for name in names
            )
        return {files.below(path, folder): digest for path, digest in contents.items()}


def _changes(before: dict[str, str], now: dict[str, str]) -> str:
    """Name the files that differ; empty if the earlier contents are unknown."""
    if not before:
        return ""
    names = sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))
    more = f" and {len(names) - _SHOWN:,} more files" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
