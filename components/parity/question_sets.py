"""The questions, grouped by what a serving path's requests can contain."""

from __future__ import annotations

from dataclasses import dataclass

from components.export import signatures as names
from components.parity.questions import (
    Question,
    by_example,
    in_batches,
    in_json,
    of_files,
    over_a_wire,
    questions,
)
from components.parity.rows import Rows
from schemas.columns import Column


@dataclass(frozen=True)
class QuestionSets:
    """The questions that serving paths choose from.

    Attributes:
      everything: for a path that takes arrays of any size.
      grpc: in requests of a few megabytes, without the signature that only `evaluate` uses.
      examples: to Classify and Regress, by column.
      files: the one about all rows at once.
      messages: the same, of as many rows as JSON permits.
    """

    everything: list[Question]
    grpc: list[Question]
    examples: list[Question]
    files: list[Question]
    messages: list[Question]

    @classmethod
    def of(
        cls,
        rows: Rows,
        serving: tuple[Column, ...],
        evaluation: tuple[Column, ...],
        methods: tuple[str, ...],
    ) -> QuestionSets:
        """Make the questions; see `questions.questions`."""
        asked = questions(rows, serving, evaluation, methods)
        files = of_files(rows, serving)
        columns = sum(values[:1].size for values in files[0].feeds.values())
        return cls(
            everything=[*asked, *in_batches(asked)],
            grpc=in_json(over_a_wire(asked, columns), rows, columns),
            examples=in_json(by_example(rows, serving, asked), rows, columns),
            files=files,
            messages=in_json(files, rows, columns),
        )

    @property
    def without_defaults(self) -> list[Question]:
        """Those of `everything` that give all columns."""
        return [question for question in self.everything if not question.leaves_out]

    @property
    def by_predict(self) -> list[Question]:
        """Those of `grpc` to Predict alone."""
        return [q for q in self.grpc if q.signature not in names.METHOD_NAMES]
