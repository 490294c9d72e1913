"""The whole of pipeline.yaml: everything about a dataset that is not a column's type.

Parsed once into frozen, validated values. Unknown keys fail and name the nearest valid one. Column
types and domains are not here: they live in schema.pbtxt alone (`schemas.catalog` joins the two).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

import pydantic
from pydantic import Field

from schemas.calibration import Calibration
from schemas.evaluation import Evaluation
from schemas.examples import Examples
from schemas.explain import Explain
from schemas.features import Feature
from schemas.missing import Missing, indicators
from schemas.model import Model
from schemas.prepare import EVERY_ROW, Prepare
from schemas.runners import Runner
from schemas.selection import ColumnSelection
from schemas.sources import Source
from schemas.splits import Split
from schemas.strict import Strict, written_as
from schemas.tasks import KINDS, Export, Task, hand_down
from schemas.treatments import AnyCombination, Cross
from schemas.treatments.missing import MissingIndicator
from schemas.treatments.options import TreatmentOptions
from schemas.validation import Validation

Name = Annotated[
    str,
    written_as(r"[A-Za-z][A-Za-z0-9_-]{0,62}", "up to 63 letters, digits, _ and -, a letter first"),
]


_DERIVED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def _named(value: Any) -> Any:
    for name in value if isinstance(value, dict) else ():
        if not _DERIVED_NAME.fullmatch(str(name)):
            raise ValueError(
                "the name of a derived column has letters, digits and _, a digit not first,"
                f" got {name!r}"
            )
    return value


class DeclaredUse(NamedTuple):
    """A use of a treatment.

    Attributes:
      columns: raw or derived ones.
      options: of the treatment.
      keys: where pipeline.yaml has it.
    """

    columns: tuple[str, ...]
    options: TreatmentOptions
    keys: tuple[str | int, ...]


class Spec(Strict):
    """The whole of pipeline.yaml."""

    name: Name
    source: Source
    prepare: Prepare = EVERY_ROW
    splits: Split
    label: Task
    derive: Annotated[dict[str, str], pydantic.BeforeValidator(_named)] = Field(
        default_factory=dict
    )
    missing: dict[str, Missing] = Field(default_factory=dict)
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    crosses: tuple[Cross, ...] = ()
    combinations: tuple[AnyCombination, ...] = ()
    validation: Validation = Validation()
    selection: ColumnSelection = ColumnSelection()
    model: Model = Model()
    calibration: Calibration = Calibration()
    evaluation: Evaluation = Evaluation()
    explain: Explain = Explain()
    export: Export = Field(default_factory=KINDS[0].EXPORT)
    examples: Examples = Examples()
    runner: Runner = Runner()

    @pydantic.model_validator(mode="before")
    @classmethod
    def _one_task(cls, value: Any) -> Any:
        return hand_down(value)

    @pydantic.field_validator("features", mode="before")
    @classmethod
    def _by_column(cls, value: Any) -> Any:
        """Read the YAML mapping `column: treatments` as a tuple of features."""
        if isinstance(value, dict):
            return tuple({"column": str(c), "treatments": t} for c, t in value.items())
        return value

    @property
    def uses(self) -> tuple[DeclaredUse, ...]:
        """The uses of treatments in model order: of features, crosses, combinations, missing."""
        single = [
            DeclaredUse((f.column, *each.others), each, ("features", f.column, number, each.kind))
            for f in self.features
            for number, each in enumerate(f.treatments)
        ]
        several = [
            DeclaredUse(each.columns, each, (section, number, each.kind))
            for section, entries in (
                ("crosses", self.crosses),
                ("combinations", self.combinations),
            )
            for number, each in enumerate(entries)
        ]
        flags = [
            DeclaredUse((name,), MissingIndicator(**options), ("missing", name))
            for name, options in indicators(self.missing).items()
        ]
        return (*single, *several, *flags)

    @property
    def transformed_names(self) -> tuple[str, ...]:
        """Names of the transformed features, in model order."""
        return tuple(f.name for use in self.uses for f in use.options.outputs(use.columns, 0))

    @property
    def fits_answers(self) -> bool:
        """Whether something is fitted to answers after training: a calibration, or intervals."""
        return self.calibration.on or self.export.covered_share is not None

    @property
    def treatment_kinds(self) -> tuple[str, ...]:
        """Names of the treatments that are used, each once, sorted."""
        return tuple(sorted({use.options.kind for use in self.uses}))

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """Columns that other sections than features and crosses read from examples by name."""
        duplicates, weight = self.prepare.drop_duplicates, self.label.weight
        return (
            *self.splits.columns,
            *self.label.columns,
            *(() if weight is None else (weight,)),
            *self.evaluation.slices,
            *self.prepare.required,
            *self.prepare.outliers,
            *(() if duplicates is None else duplicates.columns),
        )

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """Columns of features, raw and derived ones, each once, in model order."""
        groups = (filling.by for filling in self.missing.values() if filling.by is not None)
        return tuple(dict.fromkeys((*(n for use in self.uses for n in use.columns), *groups)))
