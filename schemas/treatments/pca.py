"""The options of `pca`."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from schemas.treatments.options import Projection


class Pca(Projection):
    """The principal components of standardized columns, those of the largest variance."""

    kind: Literal["pca"] = "pca"
    components: Annotated[int, Field(ge=1)] = 2

    @pydantic.model_validator(mode="after")
    def _within_columns(self) -> Pca:
        if self.components > len(self.columns):
            raise ValueError(
                f"components is at most the number of columns, {len(self.columns)},"
                f" got {self.components}"
            )
        return self
