"""pipeline.yaml is checked against schema.pbtxt: missing, unsuitable and leaking columns."""

import pytest

from schemas import catalog
from schemas.tasks.multiclass import Multiclass
from tests.unit.schemas.conftest import refusal


def test_a_feature_that_no_request_carries_leaks_the_answer(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    error = refusal(folder)
    assert error.what == "the feature 'tips' is not known when serving"
    assert "leak" in error.expected


def test_the_outcome_is_not_a_feature_even_if_requests_have_it(folder):
    folder.change("  payment: vocabulary", "  tips: z_score\n  payment: vocabulary")
    folder.change_schema(' not_in_environment: "SERVING"', "")
    assert refusal(folder).what == "the feature 'tips' is what the label is made from"


def test_a_cross_leaks_as_a_feature_does(folder):
    folder.change("  hour: [vocabulary, z_score]\n", "")
    folder.change_schema('"hour" type: INT', '"hour" type: INT not_in_environment: "SERVING"')
    assert refusal(folder).what == "the feature 'hour' is not known when serving"


@pytest.mark.parametrize(
    ("old", "new", "what", "expected"),
    [
        (
            "payment: vocabulary",
            "payment: z_score",
            "z_score cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "payment: vocabulary",
            "payment: quantile_buckets",
            "quantile_buckets cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "- quantile_buckets: {buckets: 4}",
            "- date_parts",
            "date_parts cannot take 'fare', which is FLOAT",
            "INT with a time_domain or BYTES with a time_domain",
        ),
        (
            "[payment, hour]",
            "[payment, fare]",
            "a cross cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
        (
            "column: tips",
            "column: payment",
            "label.exceeds cannot take 'payment', which is BYTES",
            "INT or FLOAT",
        ),
        (
            "exceeds: {column: tips, fraction: 0.2, of: fare}",
            "equals: {column: fare, values: [1]}",
            "label.equals cannot take 'fare', which is FLOAT",
            "INT or BYTES",
        ),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(folder, old, new, what, expected):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == what
    assert error.expected.startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("payment: vocabulary", "paymnt: vocabulary", "features"),
        ("[payment, hour]", "[paymnt, hour]", "crosses"),
        ("key: [fare, hour]", "key: [paymnt]", "splits"),
        ("slices: [payment]", "slices: [paymnt]", "evaluation.slices"),
        ("column: tips", "column: paymnt", "label"),
        ("of: fare", "of: paymnt", "label"),
    ],
)
def test_a_column_that_the_schema_lacks_is_answered_with_the_nearest(folder, old, new, place):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == "there is no column 'paymnt' in schema.pbtxt; did you mean 'payment'?"
    assert place in error.where
    assert str(folder.pipeline) in error.where


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("name: big_tip", "name: payment_id", "payment_id"),
        ("name: big_tip", "name: fare_missing", "fare_missing"),
        ("name: big_tip", "name: payment_x_hour", "payment_x_hour"),
        ("hour: [vocabulary, z_score]", "hour: [z_score, z_score: {clip: 3}]", "hour_z_score"),
        (
            "    buckets: 20\n",
            "    buckets: 20\n  - {columns: [payment, hour], buckets: 30}\n",
            "payment_x_hour",
        ),
    ],
)
def test_two_transformed_features_of_one_name_are_refused(folder, old, new, name):
    folder.change(old, new)
    error = refusal(folder)
    assert error.what == f"two transformed features have the name {name!r}"
    assert "rename the column or the label" in error.remedy


@pytest.mark.parametrize("where", ["column", "label"])
def test_the_transform_stage_s_own_column_is_reserved(folder, where):
    if where == "label":
        folder.change("name: big_tip", "name: skewless_origin")
    else:
        folder.change_schema('"payment" type', '"skewless_origin" type')
        folder.pipeline.write_text(
            folder.pipeline.read_text().replace("payment", "skewless_origin")
        )
    assert (
        refusal(folder).what == "the name 'skewless_origin' is taken by a column that the run adds"
    )


def test_names_that_differ_in_case_only_are_two_columns(folder):
    folder.change_schema(
        '"payment" type: BYTES', '"Payment" type: BYTES }\nfeature { name: "payment" type: BYTES'
    )
    folder.change("  payment: vocabulary", "  payment: vocabulary\n  Payment: vocabulary")
    spec = catalog.load(str(folder)).spec
    assert spec.feature_columns == ("fare", "hour", "payment", "Payment")


@pytest.mark.parametrize("value", ["1.0", "01", "+1", " 1", "yes", "", "٣", "9007199254740993"])
def test_a_text_that_is_not_an_integer_is_not_a_label_value(folder, value):
    label(folder, "tips", value)
    folder.change_schema('"tips" type: FLOAT', '"tips" type: INT')
    error = refusal(folder)
    assert error.what.startswith(f"the label's value {value!r} never occurs: the column 'tips' is")
    assert error.where.endswith("label.equals.values")


@pytest.mark.parametrize("value", ["1", "-20", "0"])
def test_an_integer_as_a_label_may_be_in_quotes(folder, value):
    label(folder, "tips", value)
    folder.change_schema('"tips" type: FLOAT', '"tips" type: INT')
    catalog.load(str(folder))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("null_values: [NA]", "NA", "source.null_values makes it a missing one"),
        ("format: parquet", "", "source.null_values makes it a missing one"),
        ("trim: false", "", "source.null_values makes it a missing one"),
        ("trim: true", "yes ", "source.trim drops the spaces around it"),
    ],
)
def test_a_text_that_the_source_never_gives_is_not_a_label_value(folder, option, value, said):
    label(folder, "tips", value)
    folder.change("path: data.csv", f"path: data.csv\n  {option}")
    folder.change_schema('"tips" type: FLOAT', '"tips" type: BYTES')
    assert said in refusal(folder).what


def label(folder, column, value):
    folder.change(
        "exceeds: {column: tips, fraction: 0.2, of: fare}",
        f'equals: {{column: {column}, values: ["{value}"]}}',
    )


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("", "'w'"),
        ('feature { name: "w" type: FLOAT }', "the weight 'w' is known when serving"),
        (
            'feature { name: "w" type: BYTES not_in_environment: "SERVING" }',
            "label.weight cannot take 'w', which is BYTES",
        ),
        ('feature { name: "w" type: INT not_in_environment: "SERVING" }', None),
    ],
    ids=["absent", "in requests", "text", "as it should be"],
)
def test_a_weight_is_a_number_that_no_request_carries(folder, feature, said):
    folder.change("  name: big_tip", "  name: big_tip\n  weight: w")
    folder.schema.write_text(folder.schema.read_text() + feature + "\n")
    if said is None:
        assert catalog.load(str(folder)).spec.label.weight == "w"
    else:
        assert said in refusal(folder).what


def test_a_weight_is_neither_the_label_nor_of_its_name(folder):
    folder.change("  name: big_tip", "  name: big_tip\n  weight: tips")
    assert "is what the label is made from" in refusal(folder).what
    folder.change("weight: tips", "weight: big_tip")
    folder.schema.write_text(
        folder.schema.read_text()
        + 'feature { name: "big_tip" type: INT not_in_environment: "SERVING" }\n'
    )
    assert refusal(folder).what == "two transformed features have the name 'big_tip'"


def test_classes_are_weighed_by_their_names_as_they_are_written(folder):
    folder.change(
        "  exceeds: {column: tips, fraction: 0.2, of: fare}",
        "  task: multiclass\n  column: payment2\n  class_weights: {no: 2, 010: 3.5}",
    )
    folder.schema.write_text(
        folder.schema.read_text()
        + 'feature { name: "payment2" type: BYTES not_in_environment: "SERVING" }\n'
    )
    folder.change("  thresholds:\n    auc: {min: 0.6}\n", "")
    label = catalog.load(str(folder)).spec.label
    assert isinstance(label, Multiclass)
    assert label.class_weights == {"no": 2, "010": 3.5}


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("null_values: {payments: [x]}", "there is no column 'payments' in schema.pbtxt"),
        ("null_values: {fare: [-1]}\n  format: parquet", "null_values of 'fare' have no effect"),
        ("columns: {rename: {fare: price}}", "the column 'fare' of schema.pbtxt is renamed"),
    ],
)
def test_options_of_columns_fit_the_schema(folder, option, what):
    folder.change("path: data.csv", f"path: data.csv\n  {option}")
    assert refusal(folder).what.startswith(what)


def test_a_column_may_have_numbers_as_texts_that_mean_missing(folder):
    folder.change("path: data.csv", 'path: data.csv\n  null_values: {"": [NA], fare: [-1, no]}')
    source = catalog.load(str(folder)).spec.source
    assert source.nulls_of("fare") == ("", "NA", "-1", "no")
    assert source.nulls_of("hour") == ("", "NA")


@pytest.mark.parametrize(
    ("entry", "what", "line"),
    [
        (
            "random_projection: {columns: [fare, payment]}",
            "random_projection cannot take 'payment', which is BYTES",
            1,
        ),
        ("random_projection: {columns: [fare, tips]}", "the feature 'tips' is not known", None),
        (
            "random_projection: {columns: [fare, hours]}",
            "there is no column 'hours' in schema.pbtxt; did you mean 'hour'?",
            1,
        ),
        ("random_projection: {columns: [fare]}", "at least 2 items", 1),
        ("cross: {columns: [hour, hour]}", "'hour' is listed twice", 1),
        ("geohash: {columns: [fare, hour]}", "geohash cannot take 'hour', which is INT", 1),
        ("geohash: {columns: [fare, tips], levels: [9]}", "less than or equal to 8", 1),
        ("geohash: {columns: [fare, tips], levels: [5, 5]}", "5 is listed twice", 1),
        ("haversine: {columns: [fare, tips]}", "got 2 columns and 0 points", 1),
        (
            "haversine: {columns: [fare, tips], to: [{name: a, latitude: 91, longitude: 0}]}",
            "less than or equal to 90",
            1,
        ),
        ("polynomial: {columns: [fare, hour], degree: 9}", "less than or equal to 4", 1),
        (
            "polynomial: {columns: [" + ", ".join(f"c{n}" for n in range(20)) + "], degree: 4}",
            "expected from 1 to 1,000 products, got more than 1,000",
            1,
        ),
        ("random_projection: {columns: [fare, hour], component: 2}", "'components'?", 1),
        ("random_projektion: {columns: [fare, hour]}", "did you mean 'random_projection'?", 1),
        ("cross: {columns: [payment, hour]}", "have the name 'payment_x_hour'", None),
    ],
)
def test_a_combination_is_checked_and_its_errors_name_the_line(folder, entry, what, line):
    first = folder.change("model:\n", f"combinations:\n  - {entry}\nmodel:\n")
    error = refusal(folder)
    assert what in error.what
    if line is not None:
        assert f"pipeline.yaml:{first + line}: combinations" in f"{error.where} {error.what}"


def test_a_features_error_names_its_line(folder):
    line = folder.change("  payment: vocabulary", "  payment: [vocabulary, z_score]")
    assert refusal(folder).where == f"{folder.pipeline}:{line}: features.payment.1.z_score"


@pytest.mark.parametrize(
    ("treatment", "what"),
    [
        ("target_mean: {classes: [a]}", "target_mean has classes, and the task is binary"),
        ("target_mean: {smoothing: some}", "smoothing"),
        ("weight_of_evidence: {smoothing: 0}", "smoothing"),
        ("vocabulary: {order: count}", "order"),
        ("buckets", "either `at`, the numbers between intervals, or `edges: target`"),
        ("buckets: {at: [1], edges: target}", "got both"),
        ("buckets: {at: [1], bins: 9}", "bins is that of `edges: target`"),
        ("buckets: {at: [1], min_count: 9}", "min_count is that of `edges: target`"),
        ("buckets: {edges: target, min_count: 0}", "min_count"),
        ("piecewise_linear: {min_count: 9}", "min_count is that of `edges: target`"),
        ("piecewise_linear: {edges: label}", "edges"),
    ],
)
def test_options_by_the_label_are_checked_with_their_line(folder, treatment, what):
    line = folder.change("  payment: vocabulary", f"  payment: [{treatment}]")
    error = refusal(folder)
    assert what in error.what
    assert f"pipeline.yaml:{line}: features" in f"{error.where} {error.what}"


def test_an_order_by_a_number_is_refused(folder):
    old = "  exceeds: {column: tips, fraction: 0.2, of: fare}"
    folder.change(old, "  task: regression\n  column: tips")
    folder.change("    auc: {min: 0.6}", "    rmse: {max: 9}")
    options = "{order: mutual_information}"
    line = folder.change("  payment: vocabulary", f"  payment: {{vocabulary: {options}}}")
    error = refusal(folder)
    assert "takes a label of classes, and the task is regression" in error.what
    assert f"pipeline.yaml:{line}: features" in error.where


def test_intervals_by_the_label_need_no_folds(folder):
    folder.change("    - quantile_buckets: {buckets: 4}", "    - buckets: {edges: target}")
    folder.change("model:\n", 'prepare: {sample: {share: {"1": 0.4}}}\nmodel:\n')
    (use,) = (u for u in catalog.load(str(folder)).spec.uses if u.options.kind == "buckets")
    assert [f.size for f in use.options.outputs(use.columns, 0)] == [17]


def test_repeated_rows_need_folds_if_a_treatment_learns_from_the_label(folder):
    folder.change("  payment: vocabulary", "  payment: target_mean")
    folder.change("model:\n", 'prepare: {sample: {share: {"1": 0.4}}}\nmodel:\n')
    error = refusal(folder)
    assert error.where == f"{folder.pipeline}: prepare.sample.share"
    assert error.remedy == "add folds: 5 to splits"
    folder.change("  key: [fare, hour]", "  key: [fare, hour]\n  folds: 5")
    assert catalog.load(str(folder)).spec.splits.folds == 5


@pytest.mark.parametrize(
    ("treatment", "what"),
    [
        ("group_statistics", "this key is needed"),
        ("group_statistics: {by: payment, statistics: [mean, mean]}", "'mean' is listed twice"),
        (
            "group_statistics: {by: payment, statistics: [mean], relative_to: median}",
            "add one of them to statistics",
        ),
        ("group_statistics: {by: paymnt}", "did you mean 'payment'?"),
        ("group_statistics: {by: payment, statistics: [mode]}", "got 'mode'"),
    ],
)
def test_a_group_is_a_column(folder, treatment, what):
    line = folder.change("hour: [vocabulary, z_score]", f"hour: [vocabulary, {treatment}]")
    error = refusal(folder)
    assert what in error.what
    assert f"pipeline.yaml:{line}: features" in f"{error.where} {error.what}"
