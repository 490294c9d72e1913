"""How a text is rewritten before it is compared with others: the option `normalize`."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

STEPS = ("nfkd", "lower", "accents", "punctuation", "whitespace")


def _in_order(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step for step in STEPS if step in value)


# In the order of `STEPS`, whatever the order in pipeline.yaml.
Normalize = Annotated[
    tuple[Literal["nfkd", "lower", "accents", "punctuation", "whitespace"], ...],
    pydantic.AfterValidator(_in_order),
]
