"""Names of time zones, as the IANA database has them: `Zone` is the type of an option."""

from __future__ import annotations

import difflib
from importlib import resources
from typing import Annotated

import pydantic

UTC = "UTC"
_LONGEST = 64  # anything much longer takes seconds to compare


def _known(name: str) -> str:
    if name == UTC:
        return name
    # From the distribution tzdata, because a slim image has no database of its own.
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    if name in names:
        return name
    folded = {each.casefold(): each for each in names}
    near = difflib.get_close_matches(name[:_LONGEST].casefold(), folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}?" if near else "expected one such as America/Chicago"
    raise ValueError(f"unknown time zone {name!r}; {hint}")


Zone = Annotated[str, pydantic.AfterValidator(_known)]
