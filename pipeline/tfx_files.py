"""TFX's own file operations on `gs://` and `s3://`, through the layer that all rooms use.

TFX makes and clears away the folders of artifacts by itself. Left alone it would ask TensorFlow,
whose wheels know no `s3://`. Imported for its effect, before a DAG is run.
"""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.io import filesystem, filesystem_registry

from components import files, stores

_PRIORITY = 1  # before TensorFlow's, which has 10


class StoreFilesystem(filesystem.Filesystem):
    """What TFX asks of artifacts' folders; it opens no file in them."""

    SUPPORTED_SCHEMES: ClassVar[list[str]] = list(stores.SCHEMES)

    @staticmethod
    def exists(path: str) -> bool:
        """Return whether there is a file, or a folder with files."""
        return files.exists(path)

    @staticmethod
    def isdir(path: str) -> bool:
        """Return whether there is a folder with files."""
        return bool(files.names(path))

    @staticmethod
    def listdir(path: str) -> list[str]:
        """Return the names in a folder."""
        return files.names(path)

    @staticmethod
    def makedirs(path: str) -> None:
        """Do nothing: a store's folders are made by what is put into them."""

    @staticmethod
    def mkdir(path: str) -> None:
        """Do nothing, likewise."""

    @staticmethod
    def remove(path: str) -> None:
        """Remove a file."""
        files.remove(path)

    @staticmethod
    def rmtree(path: str) -> None:
        """Remove a folder and all that is in it."""
        files.remove(path)


filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(StoreFilesystem, priority=_PRIORITY)
