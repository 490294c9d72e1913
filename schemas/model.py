"""The section `model:` of pipeline.yaml: the wide & deep model and how it is trained."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.strict import Finite, Strict


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
