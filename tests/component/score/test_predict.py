"""Files in, files out: every row is scored or rejected, in order, as evaluation would score it."""

import gzip
import json
import shutil

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest

from components.evaluate.signature import LoadedSignature
from components.examples import as_raw_columns
from components.score.batch import predict
from components.score.output import ScoreOutput
from components.score.sources import Wanted, read_rows
from schemas import description
from schemas.columns import Column
from schemas.errors import ConfigError, DataError, ModelError
from schemas.sources.csv import Csv
from schemas.sources.sql import Sql
from tests.component.score.conftest import push
from tests.described import described

pytestmark = pytest.mark.component


@pytest.fixture(scope="module")
def expected(exported, rows):
    """The outputs of the signature `predict` for the rows, called directly."""
    inputs = [c for c in exported.columns if c.serving]
    (batch,) = rows.combine_chunks().to_batches()
    return LoadedSignature(exported.saved_model, "predict")(as_raw_columns(batch, inputs))


def run(model, paths, output, *, kind=None, overwrite=False, **options):
    place = ScoreOutput.of(str(output), kind, overwrite=overwrite)
    return predict(model=str(model), paths=[str(p) for p in paths], output=place, **options)


def same_scores(column, expected):
    return np.array_equal(
        np.array(column.to_pylist(), np.float32), expected["score"].astype(np.float32)
    )


def test_a_csv_file_becomes_parquet_with_the_very_scores(exported, csv_file, expected, tmp_path):
    scored = run(exported.saved_model, [csv_file], tmp_path / "scores.parquet", keys=["id"])
    table = pq.read_table(tmp_path / "scores.parquet")
    assert (scored.rows_read, scored.rows_scored, scored.rows_rejected) == (40, 40, 0)
    assert table.column("id").to_pylist() == [f"{number:03}" for number in range(40)]
    assert same_scores(table.column("score"), expected)
    assert table.column("class").to_pylist() == [c.decode() for c in expected["class"]]
    probabilities = np.array(table.column("probabilities").to_pylist(), np.float32)
    assert np.array_equal(probabilities, expected["probabilities"])


def test_csv_and_json_lines_are_read_back_as_the_same_float32(
    exported, csv_file, expected, tmp_path
):
    run(exported.saved_model, [csv_file], tmp_path / "scores.csv", keys=["id"])
    schema = [Column("id", "INT", serving=False)]
    run(exported.saved_model, [csv_file], tmp_path / "scores.jsonl", keys=["id"], schema=schema)
    table = pv.read_csv(tmp_path / "scores.csv")
    assert same_scores(table.column("score"), expected)
    assert "probabilities_1" in table.column_names
    assert '\n"007",' in (tmp_path / "scores.csv").read_text()
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [np.float32(line["score"]) for line in lines] == list(expected["score"])
    assert lines[7]["id"] == 7  # with the schema's type; in the other file, text
    assert len(lines[7]["probabilities"]) == 2


def test_parquet_files_are_scored_as_the_csv_is(exported, rows, expected, tmp_path):
    source = tmp_path / "rows.parquet"
    keys = pa.array(range(100, 140), pa.int32())
    pq.write_table(rows.append_column("key", keys), source, row_group_size=7)
    run(exported.saved_model, [source], tmp_path / "scores.parquet", keys=["key"])
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column("key").type == pa.int32()
    assert table.column("key").to_pylist() == keys.to_pylist()
    assert same_scores(table.column("score"), expected)


def test_rows_of_a_table_have_its_keys_or_their_places_in_each_range(tmp_path):
    url = f"duckdb:///{tmp_path}/rows.duckdb"
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS key, range / 2 AS x FROM range(4)")

    def carried(keys=(), **options):
        wanted = Wanted((Column("x", "FLOAT", True),), keys, **options)
        return [row for each in read_rows(f"{url}#t", wanted) for row in each.carried.to_pylist()]

    assert carried(keys=("key",)) == [{"key": number} for number in range(4)]
    ranges = Sql(url=url, table="t", partition_by="key", parts=2)
    first, second = f'{url}#t WHERE ("key" < 2 OR "key" IS NULL)', f'{url}#t WHERE "key" >= 2'
    places = [(first, 1), (first, 2), (second, 1), (second, 2)]
    assert [tuple(place.values()) for place in carried(source=ranges)] == places


def test_json_lines_are_scored_as_the_csv_is(exported, rows, expected, tmp_path):
    source = tmp_path / "rows.jsonl.gz"
    lines = [json.dumps({"key": 100 + i, **row}) for i, row in enumerate(rows.to_pylist())]
    source.write_bytes(gzip.compress("\n".join([*lines, '{"age": "old"}']).encode()))
    scored = run(exported.saved_model, [source], tmp_path / "scores.parquet", keys=["key"])
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column("key").to_pylist() == [str(number) for number in range(100, 140)]
    assert same_scores(table.column("score"), expected)
    assert (scored.rows_read, scored.rejected_by_reason) == (41, {"not_an_integer": 1})
    (reject,) = pq.read_table(scored.rejects[0]).to_pylist()
    assert (reject["line"], reject["column"], reject["value"]) == (41, "age", "old")


def test_without_a_key_rows_have_source_and_line(exported, csv_file, tmp_path):
    run(exported.saved_model, [csv_file], tmp_path / "scores.parquet")
    table = pq.read_table(tmp_path / "scores.parquet")
    assert set(table.column("source").to_pylist()) == {str(csv_file)}
    assert table.column("line").to_pylist() == list(range(2, 42))


def test_a_folder_has_a_part_for_each_file_in_their_order_and_a_summary(
    exported, csv_file, tmp_path
):
    other = tmp_path / "another.csv"
    shutil.copy(csv_file, other)
    scored = run(exported.saved_model, [csv_file, other], tmp_path / "out", kind="jsonl")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["part-00000-of-00002.jsonl", "part-00001-of-00002.jsonl", "summary.json"]
    for path, source in zip(scored.files, (csv_file, other), strict=True):
        with open(path, encoding="utf-8") as file:
            assert json.loads(file.readline())["source"] == str(source)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["rows_scored"] == 80


def test_a_folder_of_scores_is_replaced_and_nothing_else_is(exported, csv_file, tmp_path):
    other = tmp_path / "another.csv"
    shutil.copy(csv_file, other)
    out = tmp_path / "out"
    run(exported.saved_model, [csv_file, other], out, kind="csv")
    run(exported.saved_model, [csv_file], out, kind="jsonl", overwrite=True)
    names = ["part-00000-of-00001.jsonl", "summary.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    (out / "thesis.tex").write_text("my only copy")
    with pytest.raises(ConfigError, match=r"the output folder contains other files: thesis\.tex"):
        run(exported.saved_model, [csv_file], out, kind="csv", overwrite=True)
    assert sorted(path.name for path in out.iterdir()) == [*names, "thesis.tex"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another.csv", "out", "rows.csv"]


def test_rows_are_never_written_over_by_their_scores(exported, csv_file):
    before = csv_file.read_bytes()
    with pytest.raises(ConfigError, match="the output is a file to be scored"):
        run(exported.saved_model, [csv_file], csv_file, overwrite=True)
    assert csv_file.read_bytes() == before


def test_several_files_make_one_file_with_one_header(exported, csv_file, tmp_path):
    run(exported.saved_model, [csv_file, csv_file], tmp_path / "scores.csv", keys=["id"])
    assert (tmp_path / "scores.csv").read_text().count('"id"') == 1
    assert pv.read_csv(tmp_path / "scores.csv").num_rows == 80


def test_rejected_rows_are_kept_with_their_reasons(exported, csv_file, tmp_path):
    lines = csv_file.read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join(["old", *cells[1:]])
    lines.insert(5, "1,2")
    csv_file.write_text("\n".join(lines) + "\n")
    scored = run(exported.saved_model, [csv_file], tmp_path / "scores.csv", keys=["id"])
    assert (scored.rows_read, scored.rows_scored, scored.rows_rejected) == (41, 39, 2)
    assert scored.rejected_by_reason == {"not_an_integer": 1, "wrong_field_count": 1}
    (path,) = scored.rejects
    assert path == str(tmp_path / "scores.csv.rejects.parquet")
    first, second = pq.read_table(path).to_pylist()
    assert (first["line"], first["column"], first["value"]) == (4, "age", "old")
    assert (second["line"], second["record"]) == (6, "1,2")


def test_a_parquet_row_that_cannot_be_scored_is_rejected(exported, rows, tmp_path):
    ages = rows.column("age").to_pylist()
    ages[2] = 2.5
    source = tmp_path / "rows.parquet"
    at = rows.column_names.index("age")
    pq.write_table(rows.set_column(at, "age", pa.array(ages, pa.float64())), source)
    scored = run(exported.saved_model, [source], tmp_path / "out")
    assert scored.rejected_by_reason == {"not_an_integer": 1}
    (reject,) = pq.read_table(scored.rejects[0]).to_pylist()
    assert (reject["line"], reject["value"]) == (3, "2.5")


def test_nothing_to_score_gives_an_output_without_rows(exported, csv_file, tmp_path):
    csv_file.write_text(csv_file.read_text().splitlines()[0] + "\n")
    run(exported.saved_model, [csv_file], tmp_path / "scores.parquet", columns=["score"])
    table = pq.read_table(tmp_path / "scores.parquet")
    assert (table.num_rows, table.column_names) == (0, ["source", "line", "score"])


def test_the_sources_dialect_is_the_datasets(exported, rows, expected, tmp_path):
    path = tmp_path / "rows.csv"
    text = "|".join(rows.column_names) + "\n"
    for row in rows.to_pylist():
        text += "|".join("?" if v is None else str(v) for v in row.values()) + "\n"
    path.write_text(text)
    source = Csv(path="", delimiter="|", null_values=("?",))
    run(exported.saved_model, [path], tmp_path / "scores.parquet", source=source)
    assert same_scores(pq.read_table(tmp_path / "scores.parquet").column("score"), expected)


def test_versions_are_compared_side_by_side(exported_again, serving, csv_file, tmp_path):
    push(exported_again, serving, 2)
    scored = run(
        serving / "2",
        [csv_file],
        tmp_path / "scores.parquet",
        columns=["score", "class"],
        compare_with=str(serving / "1"),
    )
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column_names[2:] == ["score", "class", "score_v1", "class_v1", "score_difference"]
    ours, other = (table.column(name).to_numpy() for name in ("score", "score_v1"))
    comparison = scored.comparison
    assert np.array_equal(table.column("score_difference").to_numpy(), ours - other)
    assert comparison.rows == 40
    wide, narrow = ours.astype(np.float64), other.astype(np.float64)
    assert comparison.mean_absolute_difference == pytest.approx(np.abs(wide - narrow).mean())
    assert comparison.correlation == pytest.approx(np.corrcoef(wide, narrow)[0, 1])
    classes = zip(table["class"].to_pylist(), table["class_v1"].to_pylist(), strict=True)
    assert comparison.changed_class_share == np.mean([a != b for a, b in classes])


def test_a_version_that_only_calls_its_classes_otherwise_changes_none(
    exported, serving, csv_file, tmp_path
):
    """Like an export with other names: only the constants with these names differ."""
    push(exported.saved_model, serving, 2)
    for version, classes in ((1, ("0", "1")), (2, ("small tip", "big tip"))):
        path = serving / str(version) / description.FILE_NAME
        path.write_text(described(classes=classes).model_dump_json())
    graph = serving / "2" / "saved_model.pb"
    rename_classes(graph, {b"0": b"small tip", b"1": b"big tip"})
    scored = run(
        serving / "2", [csv_file], tmp_path / "scores.parquet", compare_with=str(serving / "1")
    )
    table = pq.read_table(tmp_path / "scores.parquet")
    assert set(table["class"].to_pylist()) == {"small tip", "big tip"}
    assert set(table["class_v1"].to_pylist()) == {"0", "1"}
    assert scored.comparison.changed_class_share == 0.0
    assert scored.comparison.renamed_classes == {"0": "small tip", "1": "big tip"}
    (serving / "1" / description.FILE_NAME).write_text("{}")  # now only the names identify them
    scored = run(
        serving / "2", [csv_file], tmp_path / "again.parquet", compare_with=str(serving / "1")
    )
    assert scored.comparison.changed_class_share == 1.0


def test_probabilities_have_the_names_of_their_classes(serving, csv_file, expected, tmp_path):
    path = serving / "1" / description.FILE_NAME
    path.write_text(described(classes=("small", "big")).model_dump_json())
    run(serving / "1", [csv_file], tmp_path / "scores.csv")
    csv = pv.read_csv(tmp_path / "scores.csv")
    assert csv.column_names[2:] == [
        "score",
        "class",
        "probability_small",
        "probability_big",
        "logits",
        *csv.column_names[7:],
    ]
    run(serving / "1", [csv_file], tmp_path / "scores.jsonl", columns=["probabilities"])
    line = json.loads((tmp_path / "scores.jsonl").read_text().splitlines()[7])
    assert [np.float32(line["probabilities"][name]) for name in ("small", "big")] == [
        *expected["probabilities"][7]
    ]
    columns = {"columns": ["class", "probability_big"], "by_class": True}
    run(serving / "1", [csv_file], tmp_path / "scores.parquet", keys=["id"], **columns)
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column_names == ["id", "class", "probability_big"]
    assert same_scores(table["probability_big"], expected)
    with pytest.raises(ConfigError, match="'probability_bg'; did you mean 'probability_big'"):
        run(serving / "1", [csv_file], tmp_path / "no.csv", columns=["probability_bg"])


def test_versions_whose_columns_would_have_one_name_are_refused(
    exported, serving, csv_file, tmp_path
):
    push(exported.saved_model, serving, 2)
    for version, classes in ((1, ("a", "b")), (2, ("a_v1", "b"))):
        path = serving / str(version) / description.FILE_NAME
        path.write_text(described(classes=classes).model_dump_json())
    with pytest.raises(ConfigError, match=r"two columns .* have the name 'probability_a_v1'"):
        run(serving / "2", [csv_file], tmp_path / "s.csv", compare_with=str(serving / "1"))


def rename_classes(graph, names):
    """Change the constants of a SavedModel that have class names."""
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    renamed = 0
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            tensor = node.attr["value"].tensor if node.op == "Const" else None
            if tensor is not None and set(tensor.string_val) & set(names):
                tensor.string_val[:] = [names.get(value, value) for value in tensor.string_val]
                renamed += 1
    assert renamed
    graph.write_bytes(proto.SerializeToString())


def test_a_model_without_predict_is_asked_by_raw_columns(exported, csv_file, expected, tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    model = tmp_path / "old"
    shutil.copytree(exported.saved_model, model)
    proto = saved_model_pb2.SavedModel.FromString((model / "saved_model.pb").read_bytes())
    del proto.meta_graphs[0].signature_def["predict"]
    (model / "saved_model.pb").write_bytes(proto.SerializeToString())
    scored = run(model, [csv_file], tmp_path / "scores.parquet")
    assert scored.signature == "raw_columns"
    assert same_scores(pq.read_table(tmp_path / "scores.parquet").column("scores"), expected)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"columns": ["scorre"]}, ConfigError, "has no output 'scorre'; did you mean 'score'"),
        ({"keys": ["idd"]}, DataError, "'idd' is not in the file's header"),
    ],
)
def test_what_is_not_there_is_named(exported, csv_file, tmp_path, options, error, words):
    with pytest.raises(error, match=words):
        run(exported.saved_model, [csv_file], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_key_with_an_outputs_name_is_refused(exported, csv_file, tmp_path):
    csv_file.write_text(csv_file.read_text().replace('"id"', '"score"'))
    with pytest.raises(ConfigError, match="the key 'score' has the name of an output"):
        run(exported.saved_model, [csv_file], tmp_path / "out", keys=["score"])


def test_a_file_that_fails_leaves_nothing_behind(exported, csv_file, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_bytes(csv_file.read_bytes() + b"x" * (17 << 20) * 2)
    with pytest.raises(DataError, match="a record is longer than"):
        run(exported.saved_model, [csv_file, broken], tmp_path / "out" / "scores.csv")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_without_a_model_is_refused(csv_file, tmp_path):
    with pytest.raises(ModelError, match="there is no SavedModel to read"):
        run(tmp_path, [csv_file], tmp_path / "out")
