"""The kinds of splits, each with its options: `splits:` in pipeline.yaml.

A kind is three things: a file here with its options, a file of the same name in
components/ingest/splits with its implementation, and its class in `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

import pydantic

from schemas.splits.column import ColumnSplit
from schemas.splits.file import FileSplit
from schemas.splits.group import Group
from schemas.splits.hash import Hash
from schemas.splits.options import SplitOptions
from schemas.splits.stratified import Stratified
from schemas.splits.time import Time
from schemas.strict import named_kind

KINDS = (Hash, Group, Stratified, Time, ColumnSplit, FileSplit)
NAMES: tuple[str, ...] = tuple(kind.model_fields["by"].default for kind in KINDS)


def _with_kind(value: Any) -> Any:
    return named_kind(value, "by", KINDS, what="split")


if TYPE_CHECKING:
    Split = SplitOptions
else:
    Split = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        pydantic.Discriminator("by") if len(KINDS) > 1 else None,
        pydantic.BeforeValidator(_with_kind),
    ]

_ADAPTER: pydantic.TypeAdapter[SplitOptions] = pydantic.TypeAdapter(Split)


def loads(text: str) -> SplitOptions:
    """Parse a split's options from the JSON of `model_dump_json`."""
    return _ADAPTER.validate_json(text)
