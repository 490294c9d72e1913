"""The outputs of an export's signatures, in words: what `model.json` says can be asked.

The evaluator's own signature is left out, as it wants the answer along with the question.
"""

from __future__ import annotations

from components.export import signatures as names
from schemas.description import Output, SignatureDescription
from schemas.layout import Layout
from schemas.spec import Export


def signatures_of(layout: Layout, answers: Export) -> tuple[SignatureDescription, ...]:
    """Describe every signature that can be asked, the one for people first."""
    score = _number(names.SCORES, f"probability of {answers.classes[1]!r}")
    scored = (score, _number(names.LOGITS, "log-odds of the score"))
    classified = (
        Output(
            name=names.CLASSES,
            dtype="string",
            shape=(2,),
            meaning="always {!r} and {!r}".format(*answers.classes),
        ),
        Output(name=names.SCORES, dtype="float32", shape=(2,), meaning="probability of each"),
    )
    transformed = tuple(
        Output(
            name=f.name,
            dtype=f.dtype,
            shape=(),
            meaning=f"{f.treatment} of {', '.join(f.columns)}",
        )
        for f in layout.features
    )
    outputs = (_number(names.OUTPUTS, score.meaning),)
    return (
        _by_column(names.PREDICT, _predicted(answers)),
        _by_column(names.RAW_COLUMNS, scored),
        _by_example(names.SERVING_DEFAULT, scored),
        _by_example(names.CLASSIFICATION, classified),
        _by_example(names.REGRESSION, outputs),
        _by_example(names.TRANSFORM_FEATURES, transformed),
    )


def _predicted(answers: Export) -> tuple[Output, ...]:
    first, second = answers.classes
    chosen = f"{second!r} where the score is {answers.decision:.15g} or more, else {first!r}"
    outputs = (
        _number(names.SCORE, f"probability of {second!r}"),
        Output(
            name=names.CLASS,
            dtype="string",
            shape=(),
            meaning=chosen,
        ),
        Output(
            name=names.PROBABILITIES,
            dtype="float32",
            shape=(2,),
            meaning=f"those of {first!r} and {second!r}",
        ),
        _number(names.LOGITS, "log-odds of the score"),
    )
    if not answers.warnings:
        return outputs
    return (
        *outputs,
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


def _number(name: str, meaning: str) -> Output:
    return Output(name=name, dtype="float32", shape=(), meaning=meaning)


def _by_column(name: str, outputs: tuple[Output, ...]) -> SignatureDescription:
    return SignatureDescription(name=name, takes="raw columns", outputs=outputs)


def _by_example(name: str, outputs: tuple[Output, ...]) -> SignatureDescription:
    return SignatureDescription(name=name, takes="serialised tf.Examples", outputs=outputs)
