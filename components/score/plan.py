"""The plan of a scoring job, which is checked against the model and the files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from components.evaluate.published import SAVED_MODEL
from components.score.columns import RawSignature, read_signature
from components.score.compare import renamed, side_by_side
from components.score.output import ScoreOutput
from components.score.sources import Wanted, carried_schema
from schemas import description
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
      renamed: our names of the other version's classes, where they differ.
      folder: the working folder.
    """

    paths: tuple[str, ...]
    wanted: Wanted
    signatures: tuple[RawSignature, ...]
    carried: pa.Schema
    outputs: tuple[str, ...]
    output: ScoreOutput
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
        for name in columns:
            if name not in signatures[0].outputs:
                raise ConfigError(
                    f"the model has no output {name!r};"
                    f" {did_you_mean(name, signatures[0].outputs)}",
                    where=f"--columns; {os.path.join(model, SAVED_MODEL)}",
                )
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
            renamed=renamed(*map(_classes, signatures)) if len(signatures) == 2 else {},
        )
        plan.check_names()
        return plan

    @property
    def suffix(self) -> str:
        """The suffix of the other version's columns."""
        return f"_v{os.path.basename(os.path.normpath(self.signatures[1].saved_model))}"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the output."""
        ours, *other = (self.written(signature) for signature in self.signatures)
        scores = side_by_side(ours, other[0], self.suffix) if other else ours
        return pa.schema([*self.carried, *scores])

    def written(self, signature: RawSignature) -> pa.Schema:
        """Return the schema of a model's outputs that are written."""
        return pa.schema([field for field in signature.output_schema if field.name in self.outputs])

    def check_names(self) -> None:
        """Check that no key has the name of an output.

        Raises:
          ConfigError: a key has.
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


def _classes(signature: RawSignature) -> tuple[str, ...]:
    """Return a version's classes in the order of their probabilities; empty if unknown."""
    try:
        described = description.read(signature.saved_model)
    except ValueError:  # another program's model.json
        return ()
    return () if described is None else described.classes


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
