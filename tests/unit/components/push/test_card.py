"""The card: the same for the same model, and safe for any data."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.push.card import card, code, plain
from schemas.description import Input, Output, ParityPath, SignatureDescription, Slice, Treated
from tests.described import described

GOLDEN = Path(__file__).parents[3] / "golden" / "MODEL_CARD.md"
FIGURES = {
    "auc": 0.949,
    "pr_auc": 0.7676,
    "log_loss": 0.2071,
    "accuracy": 0.8963,
    "calibration_error": 0.0169,
    "base_rate": 0.2292,
}


@pytest.fixture
def model():
    """A small model whose data contains all of Markdown's special characters."""
    score = Output(name="score", dtype="float32", shape=(), meaning="probability of 'big tip'")
    both = Output(name="probabilities", dtype="float32", shape=(2,), meaning="of both classes")
    features = tuple(
        Output(name=f"f{i}", dtype="int64", shape=(), meaning="vocabulary of fare")
        for i in range(9)
    )
    return described(
        label="big_tip: whether 'tips' is more than 0.2 times 'fare'",
        classes=("small|tip", "big tip"),
        inputs=(
            Input(name="fare", kind="FLOAT", required=True, minimum=0, example=12.45),
            Input(name="hour", kind="INT", required=True, minimum=0, maximum=23, example=8),
            Input(
                name="payment|type",
                kind="BYTES",
                required=False,
                values=("Cash", "a|b", "new\nline", "`tick`", "<script>"),
                example='it\'s "Cash"',
                description="How it was | paid, <b>if</b> at all.",
            ),
            Input(name="company", kind="BYTES", required=False, known=tuple("abcdefghijklmnop")),
        ),
        features=(
            Treated(columns=("fare",), treatment="z_score (log1p: true)"),
            Treated(columns=("hour", "payment|type"), treatment="cross (buckets: 10)"),
        ),
        signatures=(
            SignatureDescription(name="predict", takes="raw columns", outputs=(score, both)),
            SignatureDescription(
                name="transform_features", takes="serialised tf.Examples", outputs=features
            ),
        ),
        metrics=(
            Slice(name="", rows=2238, metrics=FIGURES),
            Slice(name="payment|type = a|b", rows=744, metrics={**FIGURES, "log_loss": 0.604}),
            Slice(name="hour = 3", rows=2, metrics={**FIGURES, "auc": None, "log_loss": 9.0}),
        ),
        min_slice_examples=30,
        baseline={**FIGURES, "auc": 0.945},
        training_examples=10435,
        rows={"train": 10435, "eval": 2329, "test": 2238},
        digests={"data": "d" * 64, "saved_model": "5" * 64},
        parity=(
            ParityPath(name="C API: predict", rows=1252, values=6260, differing=0),
            ParityPath(name="C API: predict without 'fare'", rows=4, values=20, differing=0),
            ParityPath(name="C API: predict without 'hour'", rows=4, values=20, differing=0),
        ),
        real_rows=1000,
        adversarial_rows=252,
        versions={"python": "3.10.13", "tensorflow": "2.16.2"},
    )


def test_the_card_is_as_it_was(model, request):
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(card(model), encoding="utf-8")
    assert card(model) == GOLDEN.read_text(encoding="utf-8")


def test_no_threshold_chosen_is_reported(model):
    assert "as pipeline.yaml sets no threshold" in card(model)
    chosen = model.model_copy(update={"threshold": 0.3, "threshold_chosen": True})
    assert "whose score is 0.3 or more is of that class" in card(chosen)
    assert "sets no threshold" not in card(chosen)


def test_a_model_without_slices_has_a_card(model):
    text = card(model.model_copy(update={"metrics": model.metrics[:1]}))
    for words in ("By slice", "does worst", "Not shown"):
        assert words not in text


def test_dropped_columns_are_listed_with_their_reasons(model):
    dropped = {"a|b": "rank correlation of 0.9912 with fare, which is more informative"}
    text = card(model.model_copy(update={"dropped": dropped}))
    (line,) = [line for line in text.splitlines() if "rank correlation" in line]
    assert line.startswith("| `a\\|b` | ")
    assert line.endswith(" |")


def test_small_slices_are_only_counted(model):
    text = card(model)
    assert "hour = 3" not in text
    assert "slices of fewer than 30 rows (1), whose metrics mean little" in text
    few = card(model.model_copy(update={"metrics": (model.metrics[0], model.metrics[2])}))
    assert "By slice" not in few
    assert "(1), whose metrics mean little" in few


def test_no_digit_of_a_bound_is_lost(model):
    tract = Input(name="tract", kind="INT", required=False, minimum=17031010100, example=None)
    assert "| ≥ 17031010100 |" in card(model.model_copy(update={"inputs": (tract,)}))


@given(st.text())
def test_text_of_the_data_breaks_no_table(text):
    for rendered in (plain(text), code(text)):
        assert len(rendered.splitlines()) <= 1
        assert "|" not in rendered.replace("\\|", "")


@pytest.mark.parametrize("text", ["", "`", "``", "a`b", "|", "a\n| x |", " "])
def test_code_keeps_its_fence(text):
    fenced = code(text)
    fence = fenced[: len(fenced) - len(fenced.lstrip("`"))]
    assert fenced.endswith(fence)
    assert fence not in fenced[len(fence) : -len(fence)]


def test_text_cannot_be_markup():
    assert plain("<b>*a*</b> [x](y)") == r"\<b\>\*a\*\</b\> \[x\](y)"
