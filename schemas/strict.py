"""The base of all parsed values: frozen, and strict about keys."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any

import pydantic
from pydantic import Field
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.errors import did_you_mean
from schemas.secrets import HIDDEN, is_secret

# Pydantic's messages, in YAML's terms rather than Python's.
_PLAIN = {
    "missing": "this key is needed",
    "model_type": "expected keys with values",
    "dict_type": "expected keys with values",
    "tuple_type": "expected a list, such as [a, b]",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
}


# Stages receive their parameters as JSON, which has no infinity.
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Strict(pydantic.BaseModel):
    """A frozen value that refuses unknown keys and names the nearest valid one."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            require_known(value, cls.model_fields)
        return value


def require_known(keys: Iterable[Any], known: Collection[str]) -> None:
    """Refuse a key that is not known, and name the nearest one that is."""
    for key in keys:
        if key not in known:
            raise PydanticCustomError(
                "unknown_key",
                "unknown key {quoted}; {hint}",
                {"key": str(key), "quoted": repr(key), "hint": did_you_mean(str(key), known)},
            )


def plain(problem: ErrorDetails) -> str:
    """Return a pydantic error in terms of YAML, with the value.

    An error of ours with a `key` in its context is about that key, and is complete.
    """
    message = _PLAIN.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    if problem["type"] in ("value_error", "missing") or "key" in problem.get("ctx", {}):
        return message
    hint = "; put it in quotes where text is meant" if _is_scalar(problem) else ""
    secret = any(isinstance(key, str) and is_secret(key) for key in problem["loc"])
    return f"{message}, got {HIDDEN if secret else repr(problem['input'])}{hint}"


def _is_scalar(problem: ErrorDetails) -> bool:
    """Return whether text was expected where YAML has a number, a boolean or a date."""
    scalars = (bool, int, float, datetime.date)
    return problem["type"] == "string_type" and isinstance(problem["input"], scalars)


def one_of(entry: Any, kinds: Collection[str], *, what: str) -> Any:
    """Expand the short forms of a value that has a `kind`: `name`, and `name: {option: value}`.

    >>> one_of({"z_score": {"clip": 5}}, ["z_score"], what="treatment")
    {'clip': 5, 'kind': 'z_score'}

    Raises:
      ValueError: there is no such kind; suggests the nearest one.
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


def named_kind(value: Any, key: str, kinds: Sequence[type[Strict]], *, what: str) -> Any:
    """Fill in the first kind in a section that names none, and refuse an unknown one.

    Args:
      value: the section.
      key: the key of the kind's name.
      kinds: the classes of options, whose field `key` has the name as its default.
      what: the category of kinds, for messages.
    """
    if isinstance(value, Strict):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("model_type", "expected keys with values")
    names = [kind.model_fields[key].default for kind in kinds]
    value = {key: names[0], **value}
    if (given := value[key]) not in names:
        raise PydanticCustomError(
            "unknown_kind",
            "unknown {what} {quoted}; {hint}",
            {
                "key": key,
                "what": what,
                "quoted": repr(given),
                "hint": did_you_mean(str(given), names),
            },
        )
    return value


def written_as(pattern: str, expected: str) -> pydantic.AfterValidator:
    """Check that a text matches a pattern; the message has words rather than the pattern.

    Args:
      pattern: a regular expression for the whole text.
      expected: the same in words, with an example.
    """

    def hold(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("written_as", "expected {form}", {"form": expected})
        return text

    return pydantic.AfterValidator(hold)
