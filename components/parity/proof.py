"""The proof as it is stored and read: parity.json, and the text for a person.

A `Proof` is a frozen value of what was compared and what differed. JSON preserves it bit by bit:
values are stored as text, so that NaN and infinity are preserved, too.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping
from typing import Literal

from components import files
from schemas.strict import Strict

FILE_NAME = "parity.json"

# The text has so many; the file has more.
_SHOWN = 8
_SHOWN_FAILURES = 4


class Difference(Strict):
    """One value that differs in serving.

    Attributes:
      path: the serving path, and the question.
      row: which row, in words.
      content: its raw columns in readable form.
      feature: the transformed feature, or the output (`scores`), that differs.
      expected: the result of transform-then-predict in the run's process.
      got: the path's value.
      relative: |got - expected| / |expected|; None where it is undefined.
    """

    path: str
    row: str
    content: dict[str, str]
    feature: str
    expected: str
    got: str
    relative: float | None


class QuestionResult(Strict):
    """The result of one question to one serving path.

    Attributes:
      serving_path: its name.
      question: a signature, and what is special about the requests.
      rows: how many rows the question was about.
      refused: how many of them had to be rejected, because the path's requests cannot contain them.
      values: how many were compared.
      differing: how many of them differ.
      largest: the largest difference, relative to the value; to a thousandth where a score is
        smaller, and to 1 where a logit is; None where no numbers were compared.
    """

    serving_path: str
    question: str
    rows: int
    refused: int = 0
    values: int
    differing: int
    largest: float | None = None

    @property
    def name(self) -> str:
        """Serving path and question."""
        return f"{self.serving_path}: {self.question}"


class PathResult(Strict):
    """The results of one serving path over all of its questions.

    Attributes:
      name: of the serving path.
      cannot_carry: the values that requests to it cannot contain, in words.
      questions: the number of its questions.
      failed: how many of them, if not the path as a whole, gave no answer.
      rows: the largest number of rows that a question was about.
      refused: how many of these the path had to reject.
      values: how many were compared.
      differing: how many of them differ.
      largest: the largest difference, as of `QuestionResult`.
    """

    name: str
    cannot_carry: str
    questions: int
    failed: int
    rows: int
    refused: int
    values: int
    differing: int
    largest: float | None

    @property
    def proven(self) -> bool:
        """Whether the path answered everything as expected."""
        return not self.failed and not self.differing


class PathFailure(Strict):
    """A serving path, or a question to it, without an answer, and the reason."""

    path: str
    reason: str


class Proof(Strict):
    """The result of the parity stage.

    Attributes:
      format: the layout of parity.json.
      proven: whether every path gave what was expected for every row.
      real_rows: rows of the data that were compared.
      real_by_split: how many of them came from which split.
      adversarial_rows: rows that were made up.
      relative_tolerance: how far scores may differ; features have to be equal.
      serving_paths: each serving path, over all questions.
      questions: each question to each of them.
      failures: what gave no answer, and the reason.
      differences: the largest ones of each question and feature.
    """

    format: Literal[1] = 1
    proven: bool
    real_rows: int
    real_by_split: dict[str, int]
    adversarial_rows: int
    relative_tolerance: float
    serving_paths: tuple[PathResult, ...]
    questions: tuple[QuestionResult, ...]
    failures: tuple[PathFailure, ...]
    differences: tuple[Difference, ...]

    @classmethod
    def read(cls, folder: str) -> Proof:
        """Read the proof from its artifact's folder."""
        return cls.model_validate_json(files.read_bytes(os.path.join(folder, FILE_NAME)))

    def write(self, folder: str) -> None:
        """Write the proof into its artifact's folder; the file appears only when complete."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=1))


def rows_in_words(real: int, real_by_split: Mapping[str, int], adversarial: int) -> str:
    """Return which rows were compared, in words.

    >>> rows_in_words(3, {"test": 2, "eval": 1, "train": 0}, 7)
    '3 real rows (2 test, 1 eval) and 7 adversarial ones'
    """
    splits = ", ".join(f"{rows:,} {split}" for split, rows in real_by_split.items() if rows)
    return (
        f"{real:,} real rows{f' ({splits})' if splits else ''} and {adversarial:,} adversarial ones"
    )


def describe(proof: Proof) -> str:
    """Return the text for a person: a line when proven, else what differs, row by row."""
    rows = rows_in_words(proof.real_rows, proof.real_by_split, proof.adversarial_rows)
    if proof.proven:
        values = sum(path.values for path in proof.serving_paths)
        return (
            f"serving gives what training computed: {rows}, {len(proof.serving_paths)} serving "
            f"paths, {values:,} values"
        )
    return "\n".join([f"serving would not give what training computed ({rows}):", *_lines(proof)])


def _lines(proof: Proof) -> Iterator[str]:
    for failure in proof.failures[:_SHOWN_FAILURES]:
        yield f"  {failure.path} gave no answer:"
        yield textwrap.indent(failure.reason, "    ")
    hidden = len(proof.failures) - _SHOWN_FAILURES
    if hidden > 0:
        yield f"  … and {hidden} more in {FILE_NAME}"
    for path in proof.serving_paths:
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
