"""`skewless schema` compares schema.pbtxt with data, and writes what a person accepts."""

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import files
from components.ingest.rejects import RejectWriter, publish_rejects
from components.sources.rejects import Reject, RejectReason
from components.validate.files import statistics_path
from pipeline import cli, lineage
from schemas.splits.options import SPLITS

SCHEMA = """# Orders of the shop.
feature {
  name: "price"   type: FLOAT
  float_domain { min: 0 max: 10 }  # euros
}
feature {
  name: "country"
  type: BYTES
  string_domain { value: "de" }
}
feature { name: "paid" type: INT int_domain { min: 0 max: 1 } }
"""
PIPELINE = """name: shop
source: {path: orders.csv}
splits: {key: [price]}
label: {column: paid}
features:
  price: [z_score]
  country: [vocabulary]
"""
TABLE = "price,country,paid,vip\n12.5,de,1,yes\n3,fr,0,no\n"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The folder of a dataset whose table is not quite what its schema.pbtxt says."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "schema.pbtxt").write_text(SCHEMA)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "orders.csv").write_text(TABLE)
    return folder


def test_what_the_table_changes_is_listed(shop, capsys):
    assert cli.main(["schema", "diff", "shop"]) == 0
    out = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "the first 2 records of the table"
    assert lines[3:6] == [
        "price max 10 12.5",
        "country new values 1 value 'fr' 1",
        "vip new column not described BYTES, such as 'yes'",
    ]
    assert "skewless schema accept shop --all" in lines[7]
    assert (shop / "schema.pbtxt").read_text() == SCHEMA


def test_all_changes_of_described_columns_are_accepted(shop, capsys):
    assert cli.main(["schema", "accept", "shop", "--all"]) == 0
    written = SCHEMA.replace("max: 10", "max: 12.5").replace('"de" }', '"de" value: "fr" }')
    assert (shop / "schema.pbtxt").read_text() == written
    assert "+  float_domain { min: 0 max: 12.5 }  # euros" in capsys.readouterr().out
    assert cli.main(["schema", "accept", "shop", "--all"]) == 2
    assert "there is nothing to accept" in capsys.readouterr().err


def test_a_column_is_accepted_by_name(shop):
    (shop / "schema.pbtxt").write_bytes(SCHEMA.replace("\n", "\r\n").encode())
    assert cli.main(["schema", "accept", "shop", "--column", "vip"]) == 0
    feature = 'feature {\n  name: "vip"\n  type: BYTES\n'
    domain = '  bool_domain { true_value: "yes" false_value: "no" }\n}\n'
    expected = (SCHEMA + feature + domain).replace("\n", "\r\n")
    assert (shop / "schema.pbtxt").read_bytes().decode() == expected


def test_a_misspelt_column_is_named(shop, capsys):
    assert cli.main(["schema", "accept", "shop", "--column", "contry"]) == 2
    assert "did you mean 'country'?" in capsys.readouterr().err
    assert (shop / "schema.pbtxt").read_text() == SCHEMA


@pytest.mark.parametrize("options", [[], ["--all", "--column", "price"]])
def test_what_is_accepted_has_to_be_said(shop, options, capsys):
    assert cli.main(["schema", "accept", "shop", *options]) == 2
    assert "--column, or give --all" in capsys.readouterr().err


def test_a_text_that_does_not_fit_is_not_written(shop, capsys):
    """The domain of the label decides the task: a third number leaves it open."""
    (shop / "orders.csv").write_text(TABLE.replace("fr,0", "fr,2"))
    assert cli.main(["schema", "accept", "shop", "--column", "paid"]) == 2
    assert "decide the task" in capsys.readouterr().err
    assert (shop / "schema.pbtxt").read_text() == SCHEMA


def test_a_run_is_compared_by_its_statistics(shop, tmp_path, monkeypatch, capsys):
    executions = {}
    statistics, examples = str(tmp_path / "statistics"), str(tmp_path / "examples")
    for split in SPLITS:
        measured = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = measured.datasets.add(num_examples=3)
        feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
        feature.path.step.append("price")
        feature.num_stats.common_stats.num_non_missing = 3
        feature.num_stats.common_stats.tot_num_values = 3
        feature.num_stats.max = 99.5 if split == "test" else 1.0
        files.write_whole(statistics_path(statistics, split), measured.SerializeToString())
    with RejectWriter(str(tmp_path)) as writer:
        writer.write([Reject("a", 2, "paid", "0.5", RejectReason.NOT_AN_INTEGER, b"")])
    publish_rejects([str(writer.path)], examples)
    for node, channel, uri in (
        ("statistics", "statistics", statistics),
        ("ingest", "examples", examples),
    ):
        outputs = {channel: lineage.Artifact(uri, {})}
        executions[node] = lineage.Execution(node, "COMPLETE", outputs)
    run = tmp_path / "runs/shop"
    (run / "runs/1").mkdir(parents=True)
    (run / "metadata.sqlite").touch()
    monkeypatch.setattr(lineage, "read_run", lambda *given: executions)
    assert cli.main(["schema", "diff", "shop"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "the data of run 1 in runs/shop"
    assert lines[3:5] == [
        "price max 10 99.5",
        "paid another type INT FLOAT: 1 rejected, such as '0.5'",
    ]


def test_a_folder_without_a_run_is_named(shop, capsys):
    assert cli.main(["schema", "diff", "shop", "elsewhere"]) == 2
    assert "no run in elsewhere has statistics" in capsys.readouterr().err
