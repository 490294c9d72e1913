"""The options of `polynomial`."""

from __future__ import annotations

import itertools
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from schemas.layout import TransformedFeature
from schemas.strict import Finite
from schemas.treatments.options import NUMBERS, Combination
from schemas.types import ColumnType

_MOST = 1_000  # products


class Polynomial(Combination):
    """Products of two to `degree` columns, each scaled as by `z_score` before.

    A missing number counts as the mean, so that its products are 0. `clip` bounds each factor.
    """

    kind: Literal["polynomial"] = "polynomial"
    accepts: ClassVar[tuple[ColumnType, ...]] = NUMBERS
    degree: Annotated[int, Field(ge=2, le=4)] = 2
    interaction_only: bool = False  # leave out products with a column twice
    log1p: bool = False  # take sign(x) * log(1 + |x|) before: for long tails
    clip: Annotated[Finite, Field(gt=0)] = 3.0

    @pydantic.model_validator(mode="after")
    def _feasible(self) -> Polynomial:
        products = len(list(itertools.islice(self._factors(), _MOST + 1)))
        if not 0 < products <= _MOST:
            count = "none" if not products else f"more than {_MOST:,}"
            raise ValueError(f"expected from 1 to {_MOST:,} products, got {count}")
        return self

    def _factors(self) -> itertools.chain[tuple[int, ...]]:
        choose = (
            itertools.combinations
            if self.interaction_only
            else itertools.combinations_with_replacement
        )
        places = range(len(self.columns))
        degrees = range(2, self.degree + 1)
        return itertools.chain.from_iterable(choose(places, n) for n in degrees)

    @property
    def products(self) -> dict[str, tuple[int, ...]]:
        """The places of each product's factors among the columns, by the feature's name.

        They are in the order of scikit-learn's PolynomialFeatures.
        """
        return {self._name(factors): factors for factors in self._factors()}

    def _name(self, factors: tuple[int, ...]) -> str:
        product = "_times_".join(self.columns[place] for place in factors)
        return product if self.name is None else f"{self.name}_{product}"

    def outputs(self, columns: tuple[str, ...], learned: int) -> tuple[TransformedFeature, ...]:
        """Return the products, such as A_times_A and A_times_B."""
        return tuple(
            TransformedFeature(name=name, columns=columns, treatment=self.kind, role="dense")
            for name in self.products
        )
