"""The rules of `validation.rules` are parsed, and wrong ones are refused with their place."""

import pytest

from schemas.catalog import load
from schemas.columns import Column
from schemas.errors import ConfigError
from schemas.rules import Figure, parse_rules
from schemas.validation import Rule, Validation

COLUMNS = (
    Column("fare", "FLOAT", serving=True),
    Column("miles", "INT", serving=True),
    Column("company", "BYTES", serving=True),
    Column("tags", "BYTES", serving=True, most=9),
)


def parsed(text, columns=COLUMNS, **options):
    rule = Rule(expression=text, **options)
    return parse_rules({"it": rule}, columns, place=lambda name: f"pipeline.yaml:7: {name}")[0]


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("fare > 0 or company is null", []),
        ("company <> 'distinct(x)'", []),
        ("mean(fare) between 5 and 50", [Figure("mean", "fare")]),
        ("AVG(miles) > 1", [Figure("mean", "miles")]),
        ("(distinct(company) < 500)", [Figure("distinct", "company")]),
        ("count(distinct company) < 500", [Figure("distinct", "company")]),
        ("count(*) > 0.8 * previous", [Figure("count")]),
        ("missing(tags) < 0.1", [Figure("missing", "tags")]),
        ("quantile(fare, 0.99) < 5e2", [Figure("quantile", "fare", 0.99)]),
        (
            "max(miles) - min(miles) < 3 * stddev(miles)",
            [Figure(name, "miles") for name in ("max", "min", "stddev")],
        ),
    ],
)
def test_a_rule_is_about_rows_or_has_figures(text, figures):
    rule = parsed(text)
    assert list(dict.fromkeys(rule.figures.values())) == figures
    assert rule.expression.text == text


def test_a_column_may_have_the_name_previous():
    own = Column("previous", "INT", serving=True)
    assert parsed("previous > 0", (*COLUMNS, own)).expression.columns == ("previous",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("fair > 0", "did you mean 'fare'?"),
        ("maen(fare) > 0", "did you mean 'mean'?"),
        ("mean(company) > 0", "mean cannot take text"),
        ("fare + 1", "its value is number"),
        ("fare >", "it cannot be read after"),
        ("1 < 2", "it has neither a column nor a figure"),
        ("previous > 2", "previous is for a rule with a figure"),
        ("fare > mean(fare)", "it mixes figures with the values of 'fare'"),
        ("mean(fare / miles) > 1", "mean is of a column as it is"),
        ("max(min(fare)) > 1", "max is of a column as it is"),
        ("quantile(fare, 2) > 1", "a quantile is between 0 and 1"),
        ("quantile(fare, 0.5) < previous", "statistics of previous data have no such quantile"),
        ("count(*) + max(fare) > previous", "previous stands for one figure"),
    ],
)
def test_a_wrong_rule_is_refused(text, what):
    with pytest.raises(ConfigError, match=r"pipeline\.yaml:7") as error:
        parsed(text)
    assert what in error.value.what


def test_a_share_of_rows_does_not_fit_a_figure():
    with pytest.raises(ConfigError, match="share is for rules about rows"):
        parsed("mean(fare) > 1", share=0.1)


def test_an_expression_alone_is_a_rule():
    rules = Validation.model_validate({"rules": {"positive": "fare > 0"}}).rules
    assert rules == {"positive": Rule(expression="fare > 0", share=0, severity="error")}
    assert rules["positive"].splits == ("train", "eval", "test")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"share": 1}, "less than 1"),
        ({"severity": "eror"}, "'warning' or 'error'"),
        ({"splits": []}, "at least 1 item"),
        ({"splits": ["dev"]}, "'train', 'eval' or 'test'"),
        ({"shares": 0.1}, "did you mean 'share'?"),
    ],
)
def test_wrong_options_are_refused(options, what):
    with pytest.raises(ValueError, match="validation error") as error:
        Rule.model_validate({"expression": "fare > 0", **options})
    assert what in str(error.value)


def test_a_wrong_rule_is_named_with_its_line(tmp_path):
    (tmp_path / "schema.pbtxt").write_text(
        'feature { name: "n" type: INT }\n'
        'feature { name: "y" type: INT int_domain { min: 0 max: 1 } }\n'
    )
    (tmp_path / "pipeline.yaml").write_text(
        "name: t\nsource: {path: t.csv}\nsplits: {key: [n]}\nlabel: {column: y}\n"
        "features: {n: [z_score]}\nvalidation:\n  rules:\n    good: n > 0\n    bad: m > 0\n"
    )
    with pytest.raises(ConfigError) as error:
        load(str(tmp_path))
    assert error.value.where == f"{tmp_path / 'pipeline.yaml'}:9: validation.rules.bad"
