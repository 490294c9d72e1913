"""The supported fields of a TFMD schema, and the check that no others are used.

A field is in `ACCEPTED` only if it has an effect; a table of tests shows each effect. All other
fields are refused by name, including those of newer releases of tensorflow_metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.schema_lines import Path
from schemas.types import NAMES

# The effect of each field. Fields of the two comparators are listed once.
_COMPARATOR = {
    "infinity_norm.threshold": "largest difference of a value's share",
    "jensen_shannon_divergence.threshold": "Jensen-Shannon divergence, in bits",
    "jensen_shannon_divergence.source.type": "buckets of equal width, or of equally many rows",
    "normalized_abs_difference.threshold": "largest difference of a value's normalized count",
}
ACCEPTED: Mapping[str, str] = {
    "feature.name": "a column of the table",
    "feature.type": NAMES,
    "feature.presence.min_fraction": "least share of rows that have a value",
    "feature.presence.min_count": "least number of rows of each split that have a value",
    "feature.shape": "every row has a value",
    "feature.shape.dim.size": "1: one value a row",
    "feature.value_count.min": "least number of values in a row that is not missing",
    "feature.value_count.max": "greatest number of values in a row; above 1, a row has a list",
    "feature.domain": "the values that the schema's string_domain of this name lists",
    "feature.int_domain.min": "least value of an INT",
    "feature.int_domain.max": "greatest value of an INT",
    "feature.int_domain.is_categorical": "an INT's values are counted as categories",
    "feature.float_domain": "a BYTES column is a number with the digits of a float64",
    "feature.float_domain.min": "least value of a FLOAT",
    "feature.float_domain.max": "greatest value of a FLOAT",
    "feature.string_domain.value": "the values of a BYTES column",
    "feature.bool_domain": "an INT is 0 or 1, or false or true",
    "feature.bool_domain.true_value": "the text for true, where booleans are written as text",
    "feature.bool_domain.false_value": "the text for false",
    "feature.time_domain.integer_format": (
        "an INT is a time: days, seconds, milliseconds or microseconds since 1970"
    ),
    "feature.time_domain.string_format": "a BYTES column is a time in this format",
    "feature.distribution_constraints.min_domain_mass": "least share of values within the domain",
    "feature.unique_constraints.min": "least number of distinct values of a category",
    "feature.unique_constraints.max": "greatest number of distinct values of a category",
    "feature.in_environment": "TRAINING or SERVING, where the column is",
    "feature.not_in_environment": "TRAINING or SERVING, where the column is not",
    "feature.annotation.comment": "the column's description on the model's card and page",
    **{f"feature.drift_comparator.{k}": f"between splits: {v}" for k, v in _COMPARATOR.items()},
    **{f"feature.skew_comparator.{k}": f"in requests: {v}" for k, v in _COMPARATOR.items()},
    "string_domain.name": "what `domain` of a column refers to",
    "string_domain.value": "the values of the columns that refer to it",
    "default_environment": "environments of the columns that list none",
    "dataset_constraints.min_examples_count": "least number of rows of each split",
    "dataset_constraints.num_examples_drift_comparator.min_fraction_threshold": (
        "least number of rows of eval and test, as a fraction of train's"
    ),
    "dataset_constraints.num_examples_drift_comparator.max_fraction_threshold": (
        "greatest number of rows of eval and test, as a fraction of train's"
    ),
}
# Messages that have accepted fields.
_GROUPS = {field.rsplit(".", n)[0] for field in ACCEPTED for n in range(1, field.count(".") + 1)}

_UNDESCRIBED = (
    "to leave the column out, remove its feature: columns of the file that the schema does not"
    " describe are not read"
)
_SINGLE = "remove it, or write value_count { max: … } for a list of values a row"
_UNCHECKED = "remove it, or list the values in a string_domain: nothing checks this kind"
_REMEDIES = {
    "feature.deprecated": _UNDESCRIBED,
    "feature.lifecycle_stage": f"remove it; {_UNDESCRIBED}",
    "feature.group_presence": "use presence",
    "feature.value_counts": _SINGLE,
    "feature.struct_domain": _SINGLE,
    "feature.shape.dim.name": "remove it",
    "feature.float_domain.disallow_nan": (
        "remove it: NaN counts as missing, which presence { min_fraction: 1 } forbids"
    ),
    "feature.float_domain.disallow_inf": (
        "remove it: records with infinite values are always rejected"
    ),
    "feature.float_domain.is_categorical": "remove it, or make the column INT or BYTES",
    "feature.string_domain.is_categorical": "remove it: a BYTES column is always a category",
    "feature.natural_language_domain": _UNCHECKED,
    "feature.image_domain": _UNCHECKED,
    "feature.mid_domain": _UNCHECKED,
    "feature.url_domain": _UNCHECKED,
    "feature.time_of_day_domain": (
        "remove it, and read the column as a number or a text, or make it part of a time with a"
        " date: time_domain"
    ),
    "feature.annotation.tag": "write it as annotation { comment: … }",
    "feature.annotation.extra_metadata": "write it as annotation { comment: … }",
    "annotation": "write it as a # comment",
    "int_domain": "write int_domain { min: … max: … } within the features",
    "float_domain": "write float_domain { min: … max: … } within the features",
    "sparse_feature": _SINGLE,
    "weighted_feature": _SINGLE,
    "tensor_representation_group": _SINGLE,
    "represent_variable_length_as_ragged": _SINGLE,
    "dataset_constraints.max_examples_count": "remove it: TFDV does not check it",
    "dataset_constraints.num_examples_version_comparator": (
        "use num_examples_drift_comparator or min_examples_count: no earlier version is compared"
    ),
}


@dataclass(frozen=True)
class Problem:
    """A problem in a schema.

    Attributes:
      path: the field.
      what: what is wrong.
      remedy: what to do about it.
    """

    path: Path
    what: str
    remedy: str


def unused_fields(message: Any, path: Path = ()) -> Iterator[Problem]:
    """Yield the fields of a schema that have no effect, each once at its first occurrence."""
    for descriptor, value in message.ListFields():
        dotted = ".".join(name for name, _ in (*path, (descriptor.name, 0)))
        if dotted not in ACCEPTED and dotted not in _GROUPS:
            remedy = _REMEDIES.get(dotted, "remove it")
            at = (*path, (descriptor.name, 0))
            yield Problem(at, f"{descriptor.name} has no effect here", remedy)
        elif descriptor.message_type is not None:
            values: Iterable[Any] = value if hasattr(value, "__len__") else [value]
            for index, each in enumerate(values):
                at = (*path, (descriptor.name, index))
                if not each.ListFields() and dotted not in ACCEPTED:
                    yield Problem(
                        at, f"{descriptor.name} is empty, and has no effect", "fill or remove it"
                    )
                yield from unused_fields(each, at)
