"""The section `model:` of pipeline.yaml: the wide & deep model and how it is trained.

`model: classic` and `model: tutorial` name sets of options; the file schemas/models/NAME.yaml has
each. Options beside `preset` replace those of the set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml
from pydantic import Field

from schemas.errors import did_you_mean
from schemas.strict import Finite, Strict

_PRESETS = Path(__file__).resolve().parent / "models"
_PRESET = "preset"

Share = Annotated[float, Field(ge=0, lt=1)]


class AdamW(Strict):
    """Options of the deep part's optimizer (Loshchilov and Hutter 2019).

    `learning_rate` is chosen by the number of training rows unless given. It rises linearly in the
    first `warm_up` steps.
    """

    learning_rate: Annotated[Finite, Field(gt=0)] | None = None
    weight_decay: Annotated[Finite, Field(ge=0)] = 0.3
    warm_up: Annotated[int, Field(ge=0)] = 50


class Ftrl(Strict):
    """Options of the wide part's optimizer (McMahan et al. 2013)."""

    learning_rate: Annotated[Finite, Field(gt=0)] = 0.1
    l1: Annotated[Finite, Field(ge=0)] = 0.0
    l2: Annotated[Finite, Field(ge=0)] = 0.0


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
      embedding_dim: length of the embedding of an id, and of the code of a place.
      embedding_rate: learning rate of embeddings, as a share of the deep part's.
      cross_rank: rank of the cross layer (Wang et al. 2021, arXiv:2008.13535); 0 leaves it out.
      dropout: share of the hidden units that a training step drops.
      averaging: share that the average of the weights keeps in a step; 0 keeps the last weights.
      batch_size: rows of a step; chosen by the number of training rows unless given.
      patience: rounds without a better eval loss; a round is an epoch, or 512 steps of one.
      seed: of all random numbers.
      checkpoints: when the state of training is saved.
    """

    members: Annotated[int, Field(ge=1, le=64)] = 8
    hidden_units: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        128,
        64,
    )
    embedding_dim: Annotated[int, Field(ge=1)] = 8
    embedding_rate: Annotated[Finite, Field(gt=0)] = 0.1
    cross_rank: Annotated[int, Field(ge=0)] = 32
    dropout: Share = 0.0
    deep: AdamW = AdamW()
    wide: Ftrl = Ftrl()
    averaging: Share = 0.99
    batch_size: Annotated[int, Field(ge=1)] | None = None
    max_epochs: Annotated[int, Field(ge=1)] = 60
    patience: Annotated[int, Field(ge=1)] = 6
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 42
    checkpoints: Checkpoints = Checkpoints()

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
