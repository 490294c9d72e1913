"""The description of a pushed model: `model.json` beside its SavedModel, for people and programs.

It is written by push, and read by the server, its page, batch scoring and the report.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from schemas.strict import Strict
from schemas.types import TYPES, ColumnType

FILE_NAME = "model.json"
CARD_NAME = "MODEL_CARD.md"
FORMAT = 1

# A value of a row in JSON, or the values of its list; None if it is missing.
Example = int | float | str | tuple[int | float | str, ...] | None

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[tuple(TYPES)]


class Input(Strict):
    """A raw column of requests.

    Attributes:
      name: the column's name.
      kind: the name of its type.
      form: the texts for true and false of a boolean, or the unit or format of a time, if it has
        one.
      most: the largest number of values in a row of a list; 0 for one value a row.
      required: whether the schema requires a value in every row.
      values: the values of the domain, if it lists them.
      minimum: the lower bound of the domain, if it has one.
      maximum: the upper bound of the domain, if it has one.
      known: the terms of its vocabulary, the most frequent first; None if it has no vocabulary, or
        one too large for this file.
      example: a value of a real row, or its list; None if it is missing there.
      description: a sentence about the column, if the dataset has one.
    """

    name: str
    kind: TypeName
    form: tuple[str, ...] = ()
    most: int = 0
    required: bool
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    known: tuple[str, ...] | None = None
    example: Example = None
    description: str = ""

    @property
    def type(self) -> ColumnType:
        """How its values are held."""
        return TYPES[self.kind]

    @property
    def title(self) -> str:
        """What a person calls its values, with the unit or format of times."""
        return f"{self.type.title} ({', '.join(self.form)})" if self.form else self.type.title


class Output(Strict):
    """An output of a signature: its name, TensorFlow type, shape for one row, and meaning.

    A size of -1 is that of the longest list.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    meaning: str


def number(name: str, meaning: str) -> Output:
    """Return an output of one float32 a row."""
    return Output(name=name, dtype="float32", shape=(), meaning=meaning)


class SignatureDescription(Strict):
    """A signature: its inputs and outputs."""

    name: str
    takes: Literal["raw columns", "serialised tf.Examples"]
    outputs: tuple[Output, ...]


class Treated(Strict):
    """A treatment with its options: what raw columns become for the model."""

    columns: tuple[str, ...]
    treatment: str


class Slice(Strict):
    """Metrics of a part of the test split; `name` is "" for all of it."""

    name: str
    rows: int
    metrics: dict[str, float | None]


class Cell(Strict):
    """The rows whose score is in one of 15 cells of equal width.

    Attributes:
      rows: how many, or their weight.
      score: the mean score.
      share: the share of them that are of the class.
      low, high: Wilson's 95 % interval of that share (1927), of so many rows.
    """

    rows: float
    score: float
    share: float
    low: float
    high: float

    @property
    def calibrated(self) -> bool:
        """Whether the mean score is in the interval."""
        return self.low <= self.score <= self.high


class ParityPath(Strict):
    """One serving path, and how many of the values it gave were compared and differed."""

    name: str
    rows: int
    values: int
    differing: int


class Description(Strict):
    """A pushed model.

    Attributes:
      format: of this file.
      name: of the model.
      pushed_at: when, in UTC, as ISO 8601.
      task: the kind of task.
      objective: the metric by which models are compared.
      label: what is predicted, in words.
      classes: their names, in the order of the probabilities; none without classes.
      threshold: the score from which on a row is of the second class; None where no score decides.
      threshold_chosen: whether pipeline.yaml chose it; 0.5 stands there otherwise.
      inputs: the raw columns.
      features: their treatments, in the order of pipeline.yaml.
      dropped: columns that the selection left out of the features, each with its reason.
      signatures: the signatures of the SavedModel.
      metrics: of the test split, all of it first, then by slice.
      min_slice_examples: slices with fewer rows have little meaning.
      baseline: metrics of the logistic baseline on the whole test split.
      training_examples: how many rows it learnt from.
      correction: by class, what is added to its logit, as training had a sample of some classes.
      calibration: the method by which its logits are calibrated; "" without any.
      uncalibrated: metrics of the whole test split without the calibration; none without any.
      reliability: of the whole test split, by class; of two classes, of the second one.
      rows: how many rows each split has.
      digests: SHA-256 by what it is of: "data", "code", "schema", "pipeline", "saved_model".
      parity: serving paths that were proven.
      real_rows: real rows in that proof.
      adversarial_rows: made-up rows in it.
      versions: of the libraries it was made with.
    """

    format: Literal[1] = 1
    name: str
    pushed_at: str
    task: str = "binary"
    objective: str = "log_loss"
    label: str
    classes: tuple[str, ...]
    threshold: float | None
    threshold_chosen: bool = False
    inputs: tuple[Input, ...]
    features: tuple[Treated, ...] = ()
    dropped: dict[str, str] = Field(default_factory=dict)
    signatures: tuple[SignatureDescription, ...]
    metrics: tuple[Slice, ...]
    min_slice_examples: int = 0
    baseline: dict[str, float | None]
    training_examples: int
    correction: dict[str, float] = Field(default_factory=dict)
    calibration: str = ""
    uncalibrated: dict[str, float | None] = Field(default_factory=dict)
    reliability: dict[str, tuple[Cell, ...]] = Field(default_factory=dict)
    rows: dict[str, int] = Field(default_factory=dict)
    digests: dict[str, str]
    parity: tuple[ParityPath, ...]
    real_rows: int
    adversarial_rows: int
    versions: dict[str, str]


def read(folder: str) -> Description | None:
    """Return the description in a SavedModel's folder; None if it has no model.json."""
    path = os.path.join(folder, FILE_NAME)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        return Description.model_validate_json(file.read())
