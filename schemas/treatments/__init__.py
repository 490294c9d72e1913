"""Treatments: what a raw column can become, each with its options.

A kind is three things: a file here with its options, a file of the same name in
components/transform/treatments with its implementation, and its class in `KINDS`, or in
`COMBINATIONS` if it takes several columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Field

from schemas.strict import one_of
from schemas.treatments.bag_of_words import BagOfWords
from schemas.treatments.buckets import Buckets
from schemas.treatments.cross import Cross as Cross
from schemas.treatments.cyclic import Cyclic
from schemas.treatments.date_parts import DateParts
from schemas.treatments.elapsed import Elapsed
from schemas.treatments.equal_width import EqualWidth
from schemas.treatments.frequency import Frequency
from schemas.treatments.geohash import Geohash
from schemas.treatments.group_statistics import GroupStatistics
from schemas.treatments.hash import HashBuckets
from schemas.treatments.haversine import Haversine
from schemas.treatments.length import Length
from schemas.treatments.max_abs import MaxAbs
from schemas.treatments.min_max import MinMax
from schemas.treatments.missing import MissingIndicator
from schemas.treatments.multi_hot import MultiHot
from schemas.treatments.one_hot import OneHot
from schemas.treatments.options import Combination as Combination
from schemas.treatments.options import TreatmentOptions
from schemas.treatments.own import Own
from schemas.treatments.pca import Pca
from schemas.treatments.piecewise_linear import PiecewiseLinear
from schemas.treatments.polynomial import Polynomial
from schemas.treatments.power import Power
from schemas.treatments.pretrained import Pretrained
from schemas.treatments.quantile_buckets import QuantileBuckets
from schemas.treatments.random_projection import RandomProjection
from schemas.treatments.rank import Rank
from schemas.treatments.robust import Robust
from schemas.treatments.target_mean import TargetMean
from schemas.treatments.text_shape import TextShape
from schemas.treatments.vector import Vector
from schemas.treatments.vocabulary import Vocabulary
from schemas.treatments.weight_of_evidence import WeightOfEvidence
from schemas.treatments.z_score import ZScore

KINDS = (
    *(ZScore, MinMax, MaxAbs, Robust, Power, Rank, PiecewiseLinear),
    *(QuantileBuckets, EqualWidth, Buckets),
    *(Vocabulary, HashBuckets, OneHot, MultiHot, Frequency),
    *(TargetMean, WeightOfEvidence, GroupStatistics),
    *(DateParts, Cyclic, Elapsed),
    *(Vector, Length, TextShape, BagOfWords, Pretrained),
)

# Those that take several columns, of the section `combinations`.
COMBINATIONS = (
    *(Cross, Pca, Polynomial, RandomProjection),
    *(Geohash, Haversine, MissingIndicator, Own),
)

BY_NAME: dict[str, type[TreatmentOptions]] = {
    kind.model_fields["kind"].default: kind for kind in (*KINDS, *COMBINATIONS)
}
NAMES = tuple(kind.model_fields["kind"].default for kind in KINDS)
COMBINATION_NAMES = tuple(kind.model_fields["kind"].default for kind in COMBINATIONS)


def _short_form(value: Any) -> Any:
    return one_of(value, COMBINATION_NAMES, what="combination")


if TYPE_CHECKING:
    Treatment = TreatmentOptions
    AnyCombination = Combination
else:
    AnyCombination = Annotated[
        Union[COMBINATIONS],  # noqa: UP007 - of a tuple
        Field(discriminator="kind"),
        BeforeValidator(_short_form),
    ]
    Treatment = Annotated[
        Union[KINDS],  # noqa: UP007 - of a tuple
        Field(discriminator="kind"),
    ]
