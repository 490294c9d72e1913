"""The outputs of an export's signatures, in words: what `model.json` says can be asked.

The evaluator's own signature is left out, as it wants the answer along with the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.export import signatures as names
from schemas.description import Output, SignatureDescription
from schemas.layout import Layout
from schemas.tasks.options import ExportOptions

# What PREDICT reports of a row in addition to the model's answer.
_ABOUT_A_ROW = (
    Output(
        name=names.WARNINGS,
        dtype="string",
        shape=(),
        meaning="what is odd about the row, joined by '; ': values missing that the schema "
        "requires, outside their domain, or in no vocabulary",
    ),
    Output(
        name=names.OUT_OF_VOCABULARY,
        dtype="int64",
        shape=(),
        meaning="how many of the row's values are in no vocabulary",
    ),
)


def signatures_of(
    layout: Layout, answers: ExportOptions, learned: Mapping[str, Any]
) -> tuple[SignatureDescription, ...]:
    """Describe every signature that can be asked, the one for people first."""
    outputs = answers.outputs(learned)
    scored = outputs[names.RAW_COLUMNS]
    predicted = outputs[names.PREDICT] + (_ABOUT_A_ROW if answers.warnings else ())
    transformed = tuple(
        Output(
            name=f.name,
            dtype=f.dtype,
            shape=(-1,) if f.is_list else (),
            meaning=f"{f.treatment} of {', '.join(f.columns)}"
            + ("; -1 follows a list's values" if f.is_list else ""),
        )
        for f in layout.features
    )
    return (
        _by_column(names.PREDICT, predicted),
        _by_column(names.RAW_COLUMNS, scored),
        _by_example(names.SERVING_DEFAULT, scored),
        *(_by_example(name, outputs[name]) for name in names.methods(answers)),
        _by_example(names.TRANSFORM_FEATURES, transformed),
    )


def _by_column(name: str, outputs: tuple[Output, ...]) -> SignatureDescription:
    return SignatureDescription(name=name, takes="raw columns", outputs=outputs)


def _by_example(name: str, outputs: tuple[Output, ...]) -> SignatureDescription:
    return SignatureDescription(name=name, takes="serialised tf.Examples", outputs=outputs)
