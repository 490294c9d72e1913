"""Reads statistics, with protobuf alone."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import files
from components.validate.files import statistics_path
from schemas.errors import DataError


def load(root: str, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Read a split's statistics: one dataset, as TFDV's own writers leave it.

    Raises:
      DataError: there are none, they are damaged, or they are not of one dataset.
    """
    path = statistics_path(root, split)
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    try:
        statistics.ParseFromString(files.read_bytes(path))
    except FileNotFoundError as error:
        raise DataError(f"there are no statistics of split {split!r}", where=path) from error
    except DecodeError as error:
        raise DataError(
            f"the statistics of split {split!r} cannot be read: {error}",
            where=path,
            expected="a DatasetFeatureStatisticsList, as the stage `statistics` writes it",
            remedy="run the pipeline again",
        ) from error
    if len(statistics.datasets) != 1:
        raise DataError(
            f"the statistics of split {split!r} are of {len(statistics.datasets)} datasets",
            where=path,
            expected="one dataset, without slices",
        )
    return statistics
