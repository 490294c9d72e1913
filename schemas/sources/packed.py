"""The endings of names of text files, which may be packed."""

from __future__ import annotations

PACKED = (".gz", ".bz2", ".zst")


def packed_endings(*names: str) -> tuple[str, ...]:
    """Return the endings of files, plain and packed.

    >>> packed_endings("csv")
    ('.csv', '.csv.gz', '.csv.bz2', '.csv.zst')
    """
    return tuple(f".{name}{packed}" for name in names for packed in ("", *PACKED))
