"""The plan of a scoring job, which is checked against the model and the files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from components.evaluate.published import SAVED_MODEL
from components.score.by_class import columns_of
from components.score.columns import RawSignature, read_signature
from components.score.compare import renamed, side_by_side
from components.score.output import ScoreOutput
from components.score.sources import Wanted, carried_schema
from schemas.columns import Column
from schemas.errors import ConfigError, ModelError, did_you_mean
from schemas.sources.options import SourceOptions


@dataclass(frozen=True)
class ScoringPlan:
    """What workers need for a job.

    Attributes:
      paths: the sources.
      wanted: what to read from them.
      signatures: of the model, and of the one to compare it with.
      carried: the Arrow schema of the columns to copy to the output.
      outputs: names of the outputs to write.
      output: the location of the scores.
      by_class: whether Parquet has a column for each class's probability.
      renamed: our names of the other version's classes, where they differ.
      folder: the working folder.
    """

    paths: tuple[str, ...]
    wanted: Wanted
    signatures: tuple[RawSignature, ...]
    carried: pa.Schema
    outputs: tuple[str, ...]
    output: ScoreOutput
    by_class: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    @classmethod
    def of(
        cls,
        model: str,
        paths: Sequence[str],
        output: ScoreOutput,
        source: SourceOptions | None,
        keys: Sequence[str],
        columns: Sequence[str],
        compare_with: str | None,
        schema: Sequence[Column] = (),
        by_class: bool = False,
    ) -> ScoringPlan:
        """Return the plan for the arguments of `predict`.

        Raises:
          ConfigError, DataError, ModelError: it is not possible; see `predict`.
        """
        if not paths:
            raise ConfigError("there is no file to score", expected="at least one file of rows")
        signatures = [read_signature(model)]
        if compare_with is not None:
            signatures.append(_other(compare_with, signatures[0]))
        output.check_apart(paths, kept=[each.saved_model for each in signatures])
        wanted = Wanted(
            inputs=signatures[0].inputs,
            keys=tuple(dict.fromkeys(keys)),
            source=source,
            written_as=output.kind,
            columns=tuple(schema),
        )
        plan = cls(
            paths=tuple(paths),
            wanted=wanted,
            signatures=tuple(signatures),
            carried=carried_schema(paths, wanted),
            outputs=tuple(columns) or tuple(signatures[0].outputs),
            output=output,
            by_class=by_class,
            renamed=renamed(*(s.classes for s in signatures)) if len(signatures) == 2 else {},
        )
        plan.check_columns(columns)
        plan.check_names()
        return plan

    @property
    def suffix(self) -> str:
        """The suffix of the other version's columns."""
        return f"_v{os.path.basename(os.path.normpath(self.signatures[1].saved_model))}"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the output."""
        ours, *other = (
            self.written(pa.RecordBatch.from_pylist([], each.output_schema), each).schema
            for each in self.signatures
        )
        scores = side_by_side(ours, other[0], self.suffix) if other else ours
        return pa.schema([*self.carried, *scores])

    def written(self, scored: pa.RecordBatch, signature: RawSignature) -> pa.RecordBatch:
        """Return those outputs of a model that are written, as the format has them."""
        columns: dict[str, pa.Array] = {}
        for output, array in zip(scored.schema.names, scored.columns, strict=True):
            parts = self._columns_of(output, array, signature)
            whole = output in self.outputs
            columns |= {name: part for name, part in parts.items() if whole or name in self.outputs}
        return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))

    def _columns_of(
        self, output: str, array: pa.Array, signature: RawSignature
    ) -> dict[str, pa.Array]:
        kind, by_class = self.output.kind, self.by_class
        return columns_of(output, array, signature.classes, kind, by_class=by_class)

    def check_columns(self, columns: Sequence[str]) -> None:
        """Check that the model has these outputs, or columns of a class in this format.

        Raises:
          ConfigError: it has not.
        """
        ours = self.signatures[0]
        known = dict.fromkeys(ours.outputs)
        for output, kind in ours.outputs.items():
            known |= dict.fromkeys(self._columns_of(output, pa.array([], kind), ours))
        for name in columns:
            if name not in known:
                raise ConfigError(
                    f"the model has no output {name!r}; {did_you_mean(name, known)}",
                    where=f"--columns; {os.path.join(ours.saved_model, SAVED_MODEL)}",
                )

    def check_names(self) -> None:
        """Check that no two columns of the output have the same name.

        Raises:
          ConfigError: a key has the name of an output, or a class that of another version's.
        """
        names = self.schema.names
        for name in self.carried.names:
            if names.count(name) > 1:
                raise ConfigError(
                    f"the key {name!r} has the name of an output",
                    where="--key",
                    expected="keys other than the outputs: "
                    + ", ".join(self.signatures[0].outputs),
                    remedy=f"rename the column, or leave the output {name!r} out by --columns",
                )
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(
                    f"two columns of the output would have the name {name!r}",
                    where=", ".join(each.saved_model for each in self.signatures),
                    expected="classes whose columns differ from those of the other version",
                    remedy="write fewer outputs, such as --columns score,class",
                )


def _other(saved_model: str, ours: RawSignature) -> RawSignature:
    """Return the version to compare with, with our signature if it has it."""
    try:
        other = read_signature(saved_model, ours.signature)
    except ModelError as error:
        raise ModelError(
            f"the versions cannot be compared: {error.what}",
            where=saved_model,
            expected=f"the signature {ours.signature!r}, which {ours.saved_model} uses",
        ) from error
    if set(other.inputs) - set(ours.inputs):
        raise ModelError(
            "the versions cannot be compared: the other one has columns that this one lacks",
            where=saved_model,
            expected=", ".join(c.name for c in ours.inputs),
            remedy="score with the version that has more, and compare it with the other",
        )
    return other
