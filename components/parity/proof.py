"""The proof as it is kept and read: parity.json, and the table a person sees.

Goes in: what was compared and what differed. Comes out: one frozen value that survives JSON bit by
bit (values stand there as text, so that NaN and infinity do), and its text.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator

from schemas.spec import Strict

FILE_NAME = "parity.json"

# So many stand in the text; the file has more.
_SHOWN = 8
_SHOWN_FAILURES = 4


class Difference(Strict):
    """One value that serving would give differently.

    Attributes:
      path: the way of serving.
      row: which row, in words.
      content: its raw columns, as a person reads them.
      feature: the transformed feature, or the output (`scores`), that differs.
      expected: what transform-then-predict gave in the run's process.
      got: what the path gave.
      relative: |got - expected| / |expected|; None where that is no number.
    """

    path: str
    row: str
    content: dict[str, str]
    feature: str
    expected: str
    got: str
    relative: float | None


class PathResult(Strict):
    """How one way of serving fared: values compared, and how many of them differ."""

    name: str
    rows: int
    values: int
    differing: int


class Failure(Strict):
    """A way of serving that gave no answer, and why."""

    path: str
    reason: str


class Proof(Strict):
    """What the parity stage found.

    Attributes:
      proven: whether every path gave what was expected for every row.
      real_rows: rows of the test split that were asked about.
      adversarial_rows: rows that were made up.
      relative_tolerance: how far scores may differ; features may not at all.
      paths: the ways of serving that were asked.
      failures: paths that could not be asked, and why.
      differences: the largest ones of each path and feature.
    """

    proven: bool
    real_rows: int
    adversarial_rows: int
    relative_tolerance: float
    paths: tuple[PathResult, ...]
    failures: tuple[Failure, ...]
    differences: tuple[Difference, ...]

    @classmethod
    def read(cls, folder: str) -> Proof:
        """Read the proof from its artifact's folder."""
        with open(os.path.join(folder, FILE_NAME), encoding="utf-8") as file:
            return cls.model_validate_json(file.read())

    def write(self, folder: str) -> None:
        """Write the proof into its artifact's folder; the file appears only when whole."""
        path = os.path.join(folder, FILE_NAME)
        with open(f"{path}.partial", "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
        os.replace(f"{path}.partial", path)


def describe(proof: Proof) -> str:
    """Return what a person reads: a line when proven, else what differs, row by row."""
    rows = f"{proof.real_rows:,} test rows and {proof.adversarial_rows:,} adversarial ones"
    if proof.proven:
        count = len(proof.paths)
        values = sum(path.values for path in proof.paths)
        paths = f"{count} path{'s' if count != 1 else ''}"
        return f"serving gives what training computed: {rows}, {paths}, {values:,} values"
    return "\n".join([f"serving would not give what training computed ({rows}):", *_lines(proof)])


def _lines(proof: Proof) -> Iterator[str]:
    for failure in proof.failures[:_SHOWN_FAILURES]:
        yield f"  {failure.path} gave no answer:"
        yield textwrap.indent(failure.reason, "    ")
    hidden = len(proof.failures) - _SHOWN_FAILURES
    if hidden > 0:
        yield f"  … and {hidden} more in {FILE_NAME}"
    for path in proof.paths:
        if path.differing:
            yield f"  {path.name}: {path.differing:,} of {path.values:,} values differ"
    shown = proof.differences[:_SHOWN]
    if shown:
        yield ""
        yield from _table([_HEADER, *(_cells(d) for d in shown)])
        hidden = len(proof.differences) - len(shown)
        if hidden:
            yield f"  … and {hidden} more in {FILE_NAME}"
        yield ""
    for row, content in {d.row: d.content for d in shown}.items():
        values = ", ".join(f"{name}={value}" for name, value in content.items())
        yield textwrap.fill(
            f"{row}: {values}", width=98, initial_indent="  ", subsequent_indent="      "
        )


_HEADER = ("feature", "expected", "got", "relative", "row", "path")


def _cells(difference: Difference) -> tuple[str, ...]:
    relative = "" if difference.relative is None else f"{difference.relative:.2g}"
    values = (difference.expected, difference.got, relative)
    return (difference.feature, *values, difference.row, difference.path)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
