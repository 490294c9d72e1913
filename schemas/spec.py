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
from schemas.treatments import NAMES, Cross, Treatment


class Equals(Strict):
    """The label is 1 where `column` is one of `values`."""

    column: str
    values: Annotated[tuple[str | int, ...], Field(min_length=1)]

    @pydantic.field_validator("values", mode="before")
    @classmethod
    def _texts_or_integers(cls, value: Any) -> Any:
        """Refuse what YAML made of a bare word: `No` is false, which would be the integer 0."""
        for each in value if isinstance(value, (list, tuple)) else ():
            if isinstance(each, bool) or not isinstance(each, (str, int)):
                raise ValueError(
                    f"{each!r} is neither text nor an integer; text that YAML reads as something"
                    " else, such as No, 1.5 or 2026-11-21, needs quotes"
                )
        return value


class Exceeds(Strict):
    """The label is 1 where `column` > `fraction` * `of`, all three as float32."""

    column: str
    fraction: Finite
    of: str


class Label(Strict):
    """A binary label, made from raw columns inside the transform graph."""

    name: str
    equals: Equals | None = None
    exceeds: Exceeds | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Label:
        if (self.equals is None) == (self.exceeds is None):
            raise ValueError("give exactly one of 'equals' and 'exceeds'")
        return self

    @property
    def outcome(self) -> str:
        """The raw column that holds the answer."""
        return self.columns[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns the label is made from, the outcome first."""
        if self.equals is not None:
            return (self.equals.column,)
        assert self.exceeds is not None  # held by _one
        return (self.exceeds.column, self.exceeds.of)


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


class Bound(Strict):
    """A metric's permitted range, and how much worse than the last blessed model it may be."""

    min: Finite | None = None
    max: Finite | None = None
    max_loss: Annotated[Finite, Field(ge=0)] | None = None


class Thresholds(Strict):
    """Bounds on the test split's metrics; a model outside any of them is not blessed."""

    auc: Bound = Bound(min=0.5)
    pr_auc: Bound = Bound()
    log_loss: Bound = Bound()
    accuracy: Bound = Bound()
    calibration_error: Bound = Bound()
    beats_baseline: bool = True  # log-loss under the base rate's and the logistic model's


class Evaluation(Strict):
    """How the model is judged."""

    thresholds: Thresholds = Thresholds()
    slices: tuple[str, ...] = ()
    min_slice_examples: Annotated[int, Field(ge=1)] = 30


class Export(Strict):
    """What the signatures `predict` and `classification` answer with."""

    # strict: YAML's `No` is no text but false
    classes: tuple[pydantic.StrictStr, pydantic.StrictStr] = ("0", "1")  # where the label is 0, 1
    threshold: Annotated[Finite, Field(gt=0, lt=1)] | None = None  # 0.5 unless given
    warnings: bool = False  # a row's missing, out-of-domain and out-of-vocabulary values

    @pydantic.field_validator("classes")
    @classmethod
    def _two(cls, value: tuple[str, str]) -> tuple[str, str]:
        if not all(value) or value[0] == value[1]:
            raise ValueError(f"give the classes two different names, got {list(value)}")
        return value

    @property
    def decision(self) -> float:
        """The score from which on a row is of the second class."""
        return 0.5 if self.threshold is None else self.threshold


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
    label: Label
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    crosses: tuple[Cross, ...] = ()
    validation: Validation = Validation()
    model: Model = Model()
    evaluation: Evaluation = Evaluation()
    export: Export = Export()
    examples: Examples = Examples()
    runner: Runner = Runner()

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
