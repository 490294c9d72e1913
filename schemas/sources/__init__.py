"""The kinds of sources that rows are read from, each with its options: `source:` in pipeline.yaml.

A kind is three things: a file here with its options, a file of the same name in components/sources
that does the work, and its class in `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

import pydantic
from pydantic_core import PydanticCustomError

from schemas.errors import did_you_mean
from schemas.sources.csv import Csv
from schemas.sources.options import Options
from schemas.sources.parquet import Parquet

KINDS = (Csv, Parquet)

_FORMAT = "format"
FORMATS: tuple[str, ...] = tuple(kind.model_fields[_FORMAT].default for kind in KINDS)


def _with_format(value: Any) -> Any:
    """Fill in the format that is meant where none is given, and refuse one that is not known."""
    if isinstance(value, Options):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("model_type", "expected keys with values")
    value = {_FORMAT: Csv.model_fields[_FORMAT].default, **value}
    if (given := value[_FORMAT]) not in FORMATS:
        raise PydanticCustomError(
            "unknown_format",
            "unknown format {quoted}; {hint}",
            {
                "key": _FORMAT,
                "quoted": repr(given),
                "hint": did_you_mean(str(given), FORMATS),
            },
        )
    return value


if TYPE_CHECKING:
    Source = Options
else:
    Source = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        pydantic.Discriminator(_FORMAT),
        pydantic.BeforeValidator(_with_format),
    ]

_ADAPTER: pydantic.TypeAdapter[Options] = pydantic.TypeAdapter(Source)


def loads(text: str) -> Options:
    """Read a source's options from the JSON that `model_dump_json` makes of them."""
    return _ADAPTER.validate_json(text)


def plain(path: str) -> Options:
    """Return the options of a file whose ending tells its kind, with defaults for all else.

    A file without a known ending is CSV.

    >>> plain("trips.parquet").format, plain("trips.txt.gz").format
    ('parquet', 'csv')
    """
    return next((kind for kind in KINDS if path.endswith(kind.endings)), Csv)(path=path)
