"""What all of our parsed values are: frozen, and strict about their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic_core import PydanticCustomError

from schemas.errors import did_you_mean

UNKNOWN_KEY = "unknown_key"  # pydantic's type of the error, whose context holds the `key`


class Strict(pydantic.BaseModel):
    """A frozen value that refuses unknown keys and names the nearest valid one."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    hint = did_you_mean(str(key), cls.model_fields)
                    raise PydanticCustomError(
                        UNKNOWN_KEY,
                        "unknown key {quoted}; {hint}",
                        {"key": str(key), "quoted": repr(key), "hint": hint},
                    )
        return value


def one_of(entry: Any, kinds: Mapping[str, Any], *, what: str) -> Any:
    """Read the short forms of a value that has a `kind`: `name`, and `name: {option: value}`.

    >>> one_of({"z_score": {"clip": 5}}, {"z_score": None}, what="treatment")
    {'clip': 5, 'kind': 'z_score'}

    Raises:
      ValueError: there is no such kind; names the nearest one.
    """
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or "kind" in entry:
        return entry
    if len(entry) != 1:
        raise ValueError(f"one {what} an entry, got {sorted(map(str, entry))}")
    ((kind, options),) = entry.items()
    if kind not in kinds:
        raise ValueError(f"unknown {what} {kind!r}; {did_you_mean(str(kind), kinds)}")
    if not isinstance(options, (dict, type(None))):
        raise ValueError(f"the options of {kind!r} must be keys with values, got {options!r}")
    return {**(options or {}), "kind": kind}
