"""A draft of any table is one that a run accepts, with a reason for each decision."""

import random

import pyarrow as pa
import pytest

from components.profile import texts
from components.profile.draft import draft
from components.profile.table import Table
from components.profile.values import ColumnValues
from components.sources.csv_dialect import best_delimiter
from schemas.catalog import load
from schemas.errors import ConfigError, DataError
from schemas.sources.csv import Csv
from schemas.validation import Validation


def table(columns, *, whole=True):
    values = (
        ColumnValues(name, v if isinstance(v, pa.Array) else pa.array(v))
        for name, v in columns.items()
    )
    return Table(Csv(path="rows.csv"), tuple(values), 1, whole)


def several(rows=400, **more):
    """A table with a column of each nature, and a label that depends on one of them."""
    rng = random.Random(3)
    amounts = [rng.lognormvariate(3, 1) for _ in range(rows)]
    columns = {
        "order_id": [str(i) for i in range(rows)],
        "amount": [f"{a:.2f}" for a in amounts],
        "items": [str(rng.randrange(6)) for _ in range(rows)],
        "country": [rng.choice(["DE", "FR", "NA", ""]) or None for _ in range(rows)],
        "comment": [f"please send it to door number {i} soon" for i in range(rows)],
        "paid": [rng.choice(["yes", "no"]) for _ in range(rows)],
        "always": ["x"] * rows,
        "empty": pa.nulls(rows, pa.string()),
        "returned": ["1" if a + rng.gauss(0, 20) > 40 else "0" for a in amounts],
    }
    return {**columns, **more}


def written(folder, drafted):
    """Write both files and let the catalog check them."""
    (folder / "schema.pbtxt").write_text(texts.schema_text(drafted))
    (folder / "pipeline.yaml").write_text(texts.pipeline_text(drafted, "shop", ["rows.csv"]))
    return load(str(folder))


def test_a_draft_is_what_a_run_accepts(tmp_path):
    dataset = written(tmp_path, draft(table(several()), "returned"))

    spec = dataset.spec
    assert spec.label.task == "binary"
    assert (spec.splits.by, spec.splits.strata) == ("stratified", ("returned",))
    assert spec.splits.key == ("order_id",)
    assert {f.column: [t.kind for t in f.treatments] for f in spec.features} == {
        "amount": ["z_score", "piecewise_linear"],
        "items": ["z_score", "piecewise_linear", "vocabulary"],
        "country": ["vocabulary"],
        "paid": ["vocabulary"],
        "comment": ["bag_of_words", "text_shape"],
    }
    assert spec.features[0].treatments[0].log1p


def test_each_column_has_a_reason():
    drafted = draft(table(several()), "returned")
    assert {choice.name: choice.reason for choice in drafted.left_out} == {
        "order_id": "it names a row",
        "always": "it is always 'x'",
        "empty": "it is empty",
    }


def test_a_column_that_is_the_label_in_other_words_is_left_out_and_asked_about():
    columns = several()
    words = {"1": "sent back", "0": "kept"}
    drafted = draft(table({**columns, "fate": [words[v] for v in columns["returned"]]}), "returned")

    (fate,) = [choice for choice in drafted.choices if choice.name == "fate"]
    assert not fate.treatments
    assert fate.doubt.startswith("it explains 100% of the label")
    pipeline = texts.pipeline_text(drafted, "shop", ["rows.csv"])
    line = pipeline.splitlines()[texts.line_of(pipeline, "fate") - 1]
    assert line.startswith("  # fate: left out:")


@pytest.mark.parametrize(
    ("codes", "kept"),
    [(("DEU", "FRA", "NAM"), False), (("49", "33", "264"), True)],
    ids=["text", "number"],
)
def test_a_second_column_of_the_same_values_is_left_out_unless_it_has_an_order(codes, kept):
    columns = several()
    code_of = dict(zip(("DE", "FR", "NA"), codes, strict=True))
    drafted = draft(
        table({**columns, "code": [code_of.get(c) for c in columns["country"]]}), "returned"
    )
    (code,) = [choice for choice in drafted.choices if choice.name == "code"]
    assert bool(code.treatments) == kept
    assert kept or code.reason == "it separates the rows exactly as 'country' does"


def test_rows_of_one_customer_share_a_split():
    rows = 3000
    customers = [f"c{i % 1200}" for i in range(rows)]
    drafted = draft(table({**several(rows), "customer_id": customers}), "returned")
    assert drafted.split.by == "group"
    assert drafted.split.columns == ("customer_id",)


@pytest.mark.parametrize(("step", "by"), [(1, "time"), (7, "stratified")])
def test_rows_in_the_order_of_a_time_are_split_by_it(tmp_path, step, by):
    rows = 400
    days = [f"2024-01-{1 + (i * step % rows) * 30 // rows:02d}" for i in range(rows)]
    columns = {**several(rows), "ordered": days}
    del columns["order_id"]
    dataset = written(tmp_path, draft(table(columns), "returned"))
    assert dataset.spec.splits.by == by


@pytest.mark.parametrize(
    ("values", "task", "options"),
    [
        (["left", "stayed", "stayed"], "binary", {"positive": "left"}),
        (["2", "1", "1"], "binary", {"task": "binary", "positive": "2"}),
        (["a", "b", "c"], "multiclass", {"task": "multiclass", "classes": ["a", "b", "c"]}),
        (["1.5", "2.5", "9.25"], "regression", {"task": "regression"}),
        ([str(i) for i in range(40)], "regression", {"task": "regression"}),
        (["1", "2", "3"], "multiclass", {"task": "multiclass", "classes": ["1", "2", "3"]}),
        ([True, False, False], "binary", {"task": "binary"}),
    ],
)
def test_the_task_follows_from_the_labels_values(values, task, options):
    rows = (values * 200)[:200]
    x = [str(i % 7) for i in range(len(rows))]
    label = draft(table({"x": x, "y": rows}), "y").label
    assert (label.task, label.options) == (task, options)


def test_the_user_can_name_the_task(tmp_path):
    columns = {"x": [str(i % 7) for i in range(300)], "y": [str(i % 3) for i in range(300)]}
    dataset = written(tmp_path, draft(table(columns), "y", "regression"))
    assert dataset.spec.label.task == "regression"

    with pytest.raises(ConfigError, match="'y' has 3 different values, not two"):
        draft(table(columns), "y", "binary")


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"x": ["1", "2"], "y": ["a", "a"]}, DataError, "it is always 'a'"),
        ({"x": ["1", "2"], "y": pa.nulls(2, pa.string())}, DataError, "it is empty"),
        ({"x": ["1", "2"], "z": ["a", "b"]}, ConfigError, "there is no column 'y'"),
        ({"y": ["a", "b"]}, ConfigError, "there is no column to predict from"),
        (
            {"x": ["1"] * 200, "y": [f"text {i}" for i in range(200)]},
            ConfigError,
            "'y' has 200 different values, and they are not numbers",
        ),
    ],
)
def test_a_table_that_cannot_be_learnt_from(columns, error, message):
    with pytest.raises(error, match=message):
        draft(table(columns), "y")


@pytest.mark.parametrize(
    "name", ["a: b", "yes", "naïve", 'quoted "name"', "12", "# x", "a\\b", "-"]
)
def test_any_name_of_a_column_can_be_written(tmp_path, name):
    columns = {name: [str(i % 9 + 0.5) for i in range(300)], "y": ["n", "o"] * 150}
    dataset = written(tmp_path, draft(table(columns), "y"))
    assert [feature.column for feature in dataset.spec.features] == [name]


def test_words_for_missing_hold_in_the_columns_that_have_them(tmp_path):
    columns = several(age=["NA" if i % 9 == 0 else str(i % 50) for i in range(400)])
    drafted = draft(table(columns), "returned")
    assert drafted.nulls == {"age": ("NA",)}
    assert written(tmp_path, drafted).spec.source.null_values == {"age": ("NA",)}
    country = next(choice for choice in drafted.choices if choice.name == "country")
    assert country.typed.column.distinct == 3  # NA is a country there


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a,b", "1,2"], ","),
        (["a;b", "1,5;2,5", "3;4"], ";"),
        (["a\tb", "x, y\tz"], "\t"),
        (["a|b|c", "1|2|3"], "|"),
        (["a", "1", "2"], ","),
        ([], ","),
        (['"a;b",c', '"1;2",3'], ","),
    ],
)
def test_delimiters(lines, delimiter):
    assert best_delimiter(lines) == delimiter


def test_a_label_that_another_file_spells_differently_becomes_a_rule(tmp_path):
    x = [str(i % 7) for i in range(300)]
    train = table({"x": x, "y": ["<=50K", "<=50K", ">50K"] * 100})
    test = table({"x": x, "y": ["<=50K.", ">50K.", ">50K"] * 100})
    dataset = written(tmp_path, draft(train, "y", others=[test]))
    assert dataset.spec.label.equals.values == (">50K", ">50K.")
    assert dataset.spec.export.classes == ("<=50K", ">50K")

    other = table({"x": x, "y": ["left", "<=50K", ">50K"] * 100})
    (doubt,) = draft(train, "y", others=[other]).label.doubts
    assert doubt.startswith("the files of eval and test have other values, such as 'left'")
    with pytest.raises(ConfigError, match=r"there is no column 'y' in rows.csv"):
        draft(train, "y", others=[table({"x": x})])


def test_many_rows_of_each_class_need_no_strata():
    columns = {"x": [str(i % 7) for i in range(1400)], "y": ["a", "b"] * 700}
    assert draft(table(columns), "y").split.by == "hash"
    numbers = {"x": ["1", "2"] * 50, "y": [str(i / 7) for i in range(100)]}
    assert draft(table(numbers), "y").split.by == "hash"


def thresholds_of(folder, values, *, task=None):
    x = [str(i % 7) for i in range(len(values))]
    return written(
        folder, draft(table({"x": x, "y": values}), "y", task)
    ).spec.evaluation.thresholds


@pytest.mark.parametrize(
    ("values", "baseline", "auc"),
    [
        (["a", "b"] * 30, False, None),  # 9 rows are tested, 4 or 5 of a class
        (["a", *["b"] * 9] * 50, False, 0.6),  # 75, 7 of them of the rarer class
        (["a", "b"] * 5000, "constant", 0.529),
    ],
)
def test_bounds_of_two_classes_stop_what_chance_reaches(tmp_path, values, baseline, auc):
    thresholds = thresholds_of(tmp_path, values)
    assert (thresholds.beats_baseline, thresholds.auc.min) == (baseline, auc)


def test_bounds_of_classes_and_numbers_stop_what_chance_reaches(tmp_path):
    thresholds = thresholds_of(tmp_path, ["a", "b", "c"] * 1000)
    assert (thresholds.beats_baseline, thresholds.macro_auc.min) == ("constant", 0.533)
    few = thresholds_of(tmp_path, ["a", "b", "c"] * 20)
    assert (few.beats_baseline, few.macro_auc.min) == (False, None)

    numbers = [str(i + 0.5) for i in range(600)]
    thresholds = thresholds_of(tmp_path, numbers)
    assert (thresholds.beats_baseline, thresholds.r2.min) == ("constant", 0.01)
    tail = [str(2.0 ** (i % 12)) for i in range(1000)]
    thresholds = thresholds_of(tmp_path, tail)
    assert (thresholds.beats_baseline, thresholds.r2.min) == (False, -0.231)
    few = thresholds_of(tmp_path, numbers[:60])
    assert (few.beats_baseline, few.r2.min) == (False, None)


def test_rows_without_a_label_do_not_stop_a_run(tmp_path):
    columns = several(400)
    assert written(tmp_path, draft(table(columns), "returned")).spec.validation == Validation()
    columns["returned"][::20] = [None] * 20
    drafted = draft(table(columns), "returned")
    assert drafted.label.doubts == ("20 rows have no label: they are rejected",)
    assert written(tmp_path, drafted).spec.validation.max_rejected_fraction == 0.08


def test_another_column_s_word_for_missing_is_not_a_class(tmp_path):
    columns = several(400, age=["NA" if i % 9 == 0 else str(i % 50) for i in range(400)])
    columns["returned"] = ["NA" if i % 20 == 0 else "ny"[i % 3 == 0] for i in range(400)]
    drafted = draft(table(columns), "returned")
    assert drafted.label.options == {"positive": "y"}
    assert drafted.label.doubts == ("20 rows have no label: they are rejected",)
    nulls = written(tmp_path, drafted).spec.source.null_values
    assert nulls["returned"] == ("NA",)


def test_a_column_that_explains_far_more_than_others_is_asked_about():
    columns = several(2000)
    rng = random.Random(5)
    columns["refund"] = [
        "1" if int(v) + rng.gauss(0, 0.4) > 0.5 else "0" for v in columns["returned"]
    ]
    (asked,) = [choice for choice in draft(table(columns), "returned").choices if choice.doubt]
    assert (asked.name, asked.typed.nature) == ("refund", "boolean")
    assert asked.treatments
    assert asked.doubt.endswith("drop it if it is known only afterwards")


def test_a_latitude_and_its_longitude_are_suggested_as_a_place():
    rng = random.Random(5)
    degrees = {"PickupLat": 90, "PickupLng": 180, "plate": 90, "lat": 900, "lon": 180}
    columns = {
        name: [
            None if rng.random() < 0.1 else f"{rng.uniform(-most, most):.4f}" for _ in range(400)
        ]
        for name, most in degrees.items()
    }
    drafted = draft(table(several(**columns)), "returned")
    (asked,) = [choice for choice in drafted.choices if "geohash" in choice.doubt]
    assert asked.name == "PickupLat"
    assert asked.doubt.startswith("with 'PickupLng' it is a place")


def test_a_time_that_is_there_only_with_the_outcome_is_left_out():
    columns = several(1000)
    columns["sent_back_at"] = [
        f"2024-01-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d}:00" if v == "1" else None
        for i, v in enumerate(columns["returned"])
    ]
    drafted = draft(table(columns), "returned")
    reasons = {choice.name: choice.reason for choice in drafted.left_out}
    assert reasons["sent_back_at"].startswith("it alone decides the label")


def test_values_by_chance_explain_nothing_of_a_rare_class():
    rng = random.Random(6)
    rows = 5000
    columns = {
        "x": [f"{rng.gauss(0, 1):.3f}" for _ in range(rows)],
        "shop": [f"s{rng.randrange(900)}" for _ in range(rows)],
        "fraud": [str(int(rng.random() < 0.005)) for _ in range(rows)],
    }
    assert [c.explained < 0.1 for c in draft(table(columns), "fraud").choices] == [True, True]


def test_the_finest_of_several_groups_decides_the_split():
    rows = 2000
    groups = {
        "household_id": [f"h{i % 1100}" for i in range(rows)],
        "person_id": [f"p{i % 1500}" for i in range(rows)],
    }
    assert draft(table({**groups, **several(rows)}), "returned").split.columns == ("person_id",)


@pytest.mark.parametrize("arrow", [pa.date32(), pa.date64(), pa.timestamp("ns")])
def test_rows_in_the_order_of_dates_of_a_typed_file_are_split_by_them(arrow):
    columns = several(400)
    del columns["order_id"]
    days = pa.array([i // 4 for i in range(400)], pa.int32()).cast(pa.date32())
    drafted = draft(table({**columns, "day": days.cast(arrow)}), "returned")
    assert (drafted.split.by, drafted.split.columns) == ("time", ("day",))


@pytest.mark.parametrize("has_id", [True, False])
def test_rows_of_two_files_may_be_equal_only_where_no_column_names_a_row(has_id):
    columns = {"x": [str(i % 7) for i in range(300)], "y": ["no", "yes", "no"] * 100}
    if has_id:
        columns["id"] = [f"a{i}" for i in range(300)]
    drafted = draft(table(columns), "y").of_files(["train.csv", "test.csv"], has_eval=False)
    text = texts.pipeline_text(drafted, "shop", ["train.csv", "test.csv"])
    assert ("shared_keys: allow" in text) == (not has_id)
