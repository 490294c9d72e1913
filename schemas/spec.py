"""The typed form of pipeline.yaml: everything about a dataset that is not a column's type.

Parsed once into frozen, validated values. Unknown keys fail and name the nearest valid one. Column
types and domains are not here: they live in schema.pbtxt alone (`schemas.catalog` joins the two).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.runners import Runner
from schemas.sources import Source
from schemas.splits import Split
from schemas.strict import Finite, one_of, written_as
from schemas.strict import Strict as Strict  # most of its users know it from here
from schemas.tasks import KINDS, Export, Task, Thresholds, hand_down
from schemas.treatments import NAMES, Cross, Treatment


class Feature(Strict):
    """One raw column and the treatments that turn it into transformed features."""

    column: str
    treatments: Annotated[tuple[Treatment, ...], Field(min_length=1)]

    @pydantic.field_validator("treatments", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """Read `z_score` and `z_score: {clip: 5}` alike."""
        entries = value if isinstance(value, (list, tuple)) else [value]
        return tuple(one_of(entry, NAMES, what="treatment") for entry in entries)


class AdamW(Strict):
    """Options of the deep tower's optimizer."""

    learning_rate: Annotated[Finite, Field(gt=0)] = 1e-3
    weight_decay: Annotated[Finite, Field(ge=0)] = 0.0


class Ftrl(Strict):
    """Options of the wide part's optimizer (McMahan et al. 2013)."""

    learning_rate: Annotated[Finite, Field(gt=0)] = 0.05
    l1: Annotated[Finite, Field(ge=0)] = 0.0
    l2: Annotated[Finite, Field(ge=0)] = 0.0


class Model(Strict):
    """The wide & deep model and how it is trained."""

    hidden_units: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        100,
        50,
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    embedding_dim: Annotated[int, Field(ge=1)] = 8
    deep: AdamW = AdamW()
    wide: Ftrl = Ftrl()
    batch_size: Annotated[int, Field(ge=1)] = 256
    max_epochs: Annotated[int, Field(ge=1)] = 30
    patience: Annotated[int, Field(ge=1)] = 3  # epochs without a better eval loss
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 42


class Validation(Strict):
    """What stops a run before anything is learnt from the data."""

    stop_at: Literal["error", "warning", "never"] = "error"  # TFDV anomaly severity
    max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01


class Evaluation(Strict):
    """How the model is judged."""

    thresholds: Thresholds = Field(default_factory=KINDS[0].THRESHOLDS)
    slices: tuple[str, ...] = ()
    min_slice_examples: Annotated[int, Field(ge=1)] = 30


class Examples(Strict):
    """How examples lie on disk and travel: one place for the two sizes."""

    batch_rows: Annotated[int, Field(ge=1, le=1 << 22)] = 65_536
    shard_rows: Annotated[int, Field(ge=1)] = 1_000_000


Name = Annotated[
    str,
    written_as(r"[A-Za-z][A-Za-z0-9_-]{0,62}", "up to 63 letters, digits, _ and -, a letter first"),
]


class Spec(Strict):
    """The whole of pipeline.yaml."""

    name: Name
    source: Source
    splits: Split
    label: Task
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    crosses: tuple[Cross, ...] = ()
    validation: Validation = Validation()
    model: Model = Model()
    evaluation: Evaluation = Evaluation()
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
    def uses(self) -> tuple[tuple[tuple[str, ...], Treatment], ...]:
        """The uses of treatments, crosses last: the raw columns and the options of each."""
        single = [((f.column,), treatment) for f in self.features for treatment in f.treatments]
        return (*single, *((cross.columns, cross) for cross in self.crosses))

    @property
    def transformed_names(self) -> tuple[str, ...]:
        """Names of the transformed features, in model order."""
        return tuple(f.name for columns, used in self.uses for f in used.outputs(columns, 0))

    @property
    def treatment_kinds(self) -> tuple[str, ...]:
        """Names of the treatments that are used, each once, sorted."""
        return tuple(sorted({used.kind for _, used in self.uses}))

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """Raw columns that serving needs, each once, in the order of pipeline.yaml."""
        names = [f.column for f in self.features]
        names += [c for cross in self.crosses for c in cross.columns]
        return tuple(dict.fromkeys(names))
