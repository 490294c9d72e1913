"""The section `model:` of pipeline.yaml: the wide & deep model and how it is trained.

`model: classic` and `model: tutorial` name sets of options; the file schemas/models/NAME.yaml has
each. Options beside `preset` replace those of the set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import Field

from schemas.errors import did_you_mean
from schemas.strict import Finite, Strict

_PRESETS = Path(__file__).resolve().parent / "models"
_PRESET = "preset"

OWN_LOSS = "loss"  # the loss of the task's head
PLACE_DIM = 8  # length of a place's code where embeddings have lengths of their own

Share = Annotated[float, Field(ge=0, lt=1)]


class AdamW(Strict):
    """Options of the deep part's optimizer (Loshchilov and Hutter 2019).

    Attributes:
      learning_rate: chosen by the number of training rows unless given.
      weight_decay: share of a weight that a step at learning rate 1 takes away.
      warm_up: steps in which the learning rate rises linearly.
      schedule: what follows: a constant rate; half a cosine that ends at 0 after `max_epochs`; a
        rise in 30 % of the steps of `max_epochs` and half a cosine ("one_cycle", Smith and Topin
        2019); or half the rate after each 2 rounds that bring nothing ("plateau").
      l1: penalty of the absolute values of the kernels of the deep part.
      l2: penalty of their squares.
      embedding_l2: penalty of the squares of embeddings.
    """

    learning_rate: Annotated[Finite, Field(gt=0)] | None = None
    weight_decay: Annotated[Finite, Field(ge=0)] = 0.3
    warm_up: Annotated[int, Field(ge=0)] = 50
    schedule: Literal["constant", "cosine", "one_cycle", "plateau"] = "constant"
    l1: Annotated[Finite, Field(ge=0)] = 0.0
    l2: Annotated[Finite, Field(ge=0)] = 0.0
    embedding_l2: Annotated[Finite, Field(ge=0)] = 0.0


class Ftrl(Strict):
    """Options of the wide part's optimizer (McMahan et al. 2013)."""

    learning_rate: Annotated[Finite, Field(gt=0)] = 0.1
    l1: Annotated[Finite, Field(ge=0)] = 0.0
    l2: Annotated[Finite, Field(ge=0)] = 0.0


class Loss(Strict):
    """How the loss that training minimizes differs from the task's own, which judges on eval.

    Attributes:
      label_smoothing: share of a label that is spread over all classes.
      gamma: a class of probability p counts by (1 - p) ** gamma (Lin et al. 2017,
        arXiv:1708.02002).
      gamma_negative: the same of class 0 of two; `gamma` unless given (Ridnik et al. 2021,
        arXiv:2009.14119).
      margin: what is subtracted from the probability of class 1 in rows of class 0 of two.
    """

    label_smoothing: Share = 0.0
    gamma: Annotated[Finite, Field(ge=0)] = 0.0
    gamma_negative: Annotated[Finite, Field(ge=0)] | None = None
    margin: Share = 0.0

    @property
    def is_own(self) -> bool:
        """Whether it is the task's own loss."""
        return self == Loss()

    @property
    def is_asymmetric(self) -> bool:
        """Whether it has options of two classes alone."""
        return self.gamma_negative is not None or self.margin > 0


class Checkpoints(Strict):
    """When training saves its state, from which a run goes on that was killed.

    That is at the end of the first round after so many `minutes` or `steps`, whichever is earlier;
    never if both are null.
    """

    minutes: Annotated[Finite, Field(gt=0)] | None = 1.0
    steps: Annotated[int, Field(ge=1)] | None = None


class Model(Strict):
    """The wide & deep model and how it is trained.

    Attributes:
      members: networks that share their kernels and are averaged in probability (Gorishniy et al.
        2024, arXiv:2410.24210); 1 is a single network.
      hidden_units: of each layer.
      embedding_dim: length of the embedding of an id, and of the code of a place; "auto" is 8 for
        a place, and follows from the number of ids for a feature.
      embedding_rate: learning rate of embeddings, as a share of the deep part's.
      cross_rank: rank of the cross layer (Wang et al. 2021, arXiv:2008.13535); 0 leaves it out.
      norm: what normalizes the units of each hidden layer: the units of a row ("layer", Ba et al.
        2016) or a unit in the rows of a step ("batch", Ioffe and Szegedy 2015), by member.
      dropout: share of the hidden units that a training step drops.
      loss: how the loss differs from the task's own.
      clip_norm: the largest norm of the gradient of a step.
      monotone: by column of numbers, whether the score never decreases or never increases with it.
      averaging: share that the average of the weights keeps in a step; 0 keeps the last weights.
      batch_size: rows of a step; chosen by the number of training rows unless given.
      patience: rounds without a better eval loss; a round is an epoch, or 512 steps of one.
      stop_by: "loss", or the metric of the eval split that decides instead.
      watch: metrics of the eval split that are recorded after each round.
      per_fold: whether a model is trained for each fold of `splits.folds`, without its rows, and
        the mean of their answers is served.
      workers: processes of the machine that train the same model together, on a GPU each if there
        are some; "auto" is one for each GPU, or one.
      seed: of all random numbers.
      checkpoints: when the state of training is saved.
    """

    members: Annotated[int, Field(ge=1, le=64)] = 8
    hidden_units: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        128,
        64,
    )
    embedding_dim: Annotated[int, Field(ge=1)] | Literal["auto"] = 8
    embedding_rate: Annotated[Finite, Field(gt=0)] = 0.1
    cross_rank: Annotated[int, Field(ge=0)] = 32
    norm: Literal["none", "layer", "batch"] = "none"
    dropout: Share = 0.0
    loss: Loss = Loss()
    clip_norm: Annotated[Finite, Field(gt=0)] | None = None
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(default_factory=dict)
    deep: AdamW = AdamW()
    wide: Ftrl = Ftrl()
    averaging: Share = 0.99
    batch_size: Annotated[int, Field(ge=1)] | None = None
    max_epochs: Annotated[int, Field(ge=1)] = 60
    patience: Annotated[int, Field(ge=1)] = 6
    stop_by: str = OWN_LOSS
    watch: tuple[str, ...] = ()
    per_fold: bool = False
    workers: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = 1
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 42
    checkpoints: Checkpoints = Checkpoints()

    @property
    def place_dim(self) -> int:
        """Length of the code of a place."""
        return PLACE_DIM if self.embedding_dim == "auto" else self.embedding_dim

    @pydantic.model_validator(mode="before")
    @classmethod
    def _of_preset(cls, value: Any) -> Any:
        """Read `classic`, and `{preset: classic, dropout: 0.2}`, as all their options."""
        if isinstance(value, str):
            value = {_PRESET: value}
        if not isinstance(value, dict) or _PRESET not in value:
            return value
        own = dict(value)
        name, known = own.pop(_PRESET), sorted(path.stem for path in _PRESETS.glob("*.yaml"))
        if name not in known:
            raise ValueError(f"there is no preset {name!r}; {did_you_mean(str(name), known)}")
        return _merged(yaml.safe_load((_PRESETS / f"{name}.yaml").read_text("utf-8")), own)


def _merged(options: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return options with those of `own` in their place, section by section."""
    merged = dict(options)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
