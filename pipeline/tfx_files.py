"""TFX's file operations on `gs://` and `s3://`, through the layer that all rooms use.

TFX itself creates and removes the folders of artifacts. By default it uses TensorFlow, whose wheels
do not support `s3://`. Import this module before a DAG is run; the import registers the class.
"""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.io import filesystem, filesystem_registry

from components import files, stores

_PRIORITY = 1  # before TensorFlow's file system, which has 10


class StoreFilesystem(filesystem.Filesystem):
    """The operations that TFX needs on artifact folders; it opens no file in them."""

    SUPPORTED_SCHEMES: ClassVar[list[str]] = list(stores.SCHEMES)

    @staticmethod
    def exists(path: str) -> bool:
        """Return whether a file, or a folder with files, exists."""
        return files.exists(path)

    @staticmethod
    def isdir(path: str) -> bool:
        """Return whether a folder with files exists."""
        return bool(files.names(path))

    @staticmethod
    def listdir(path: str) -> list[str]:
        """Return the names in a folder."""
        return files.names(path)

    @staticmethod
    def makedirs(path: str) -> None:
        """Do nothing: a store's folders exist once they have files."""

    @staticmethod
    def mkdir(path: str) -> None:
        """Do nothing, like `makedirs`."""

    @staticmethod
    def remove(path: str) -> None:
        """Remove a file."""
        files.remove(path)

    @staticmethod
    def rmtree(path: str) -> None:
        """Remove a folder and everything in it."""
        files.remove(path)


filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(StoreFilesystem, priority=_PRIORITY)
