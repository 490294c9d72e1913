"""The order of the two values of a label's column."""

from __future__ import annotations

from collections.abc import Sequence

_WORDS = (("0", "1"), ("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"))
# The values of a column that mean no and yes, in usual spellings.
NO_AND_YES = tuple(
    dict.fromkeys(
        (spell(no), spell(yes))
        for no, yes in _WORDS
        for spell in (str.lower, str.capitalize, str.upper)
    )
)


def in_order(values: Sequence[str], positive: str | None = None) -> tuple[str, str]:
    """Return the two values of a column as the classes 0 and 1.

    Class 1 is `positive`. Without it, it is what means yes in `NO_AND_YES`, else the rarer value.

    Args:
      values: the two values, the more frequent one first.
      positive: the value of class 1.

    >>> in_order(["yes", "no"]), in_order(["stayed", "left"])
    (('no', 'yes'), ('stayed', 'left'))
    """
    common, rare = values
    swapped = (rare, common) in NO_AND_YES if positive is None else common == positive
    return (rare, common) if swapped else (common, rare)
