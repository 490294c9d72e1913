"""Treatments: what a raw column can become, each with its options.

A kind is three things: a file here with its options, a file of the same name in
components/transform/treatments with its implementation, and its class in `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from schemas.treatments.buckets import Buckets
from schemas.treatments.cross import Cross as Cross
from schemas.treatments.date_parts import DateParts
from schemas.treatments.equal_width import EqualWidth
from schemas.treatments.frequency import Frequency
from schemas.treatments.hash import HashBuckets
from schemas.treatments.length import Length
from schemas.treatments.max_abs import MaxAbs
from schemas.treatments.min_max import MinMax
from schemas.treatments.multi_hot import MultiHot
from schemas.treatments.one_hot import OneHot
from schemas.treatments.options import TreatmentOptions
from schemas.treatments.piecewise_linear import PiecewiseLinear
from schemas.treatments.power import Power
from schemas.treatments.quantile_buckets import QuantileBuckets
from schemas.treatments.rank import Rank
from schemas.treatments.robust import Robust
from schemas.treatments.text_shape import TextShape
from schemas.treatments.vector import Vector
from schemas.treatments.vocabulary import Vocabulary
from schemas.treatments.z_score import ZScore

KINDS = (
    *(ZScore, MinMax, MaxAbs, Robust, Power, Rank, PiecewiseLinear),
    *(QuantileBuckets, EqualWidth, Buckets),
    *(Vocabulary, HashBuckets, OneHot, MultiHot, Frequency),
    *(DateParts, Vector, Length, TextShape),
)

# A cross takes several columns, so pipeline.yaml has a separate section for crosses.
BY_NAME: dict[str, type[TreatmentOptions]] = {
    kind.model_fields["kind"].default: kind for kind in (*KINDS, Cross)
}
NAMES = tuple(kind.model_fields["kind"].default for kind in KINDS)

if TYPE_CHECKING:
    Treatment = TreatmentOptions
else:
    Treatment = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        Field(discriminator="kind"),
    ]
