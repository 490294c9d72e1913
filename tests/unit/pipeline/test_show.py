"""`skewless show` and `skewless check` say what a run will do, without running a stage."""

import pytest

from pipeline import cli

SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "visits" type: INT int_domain { min: 0 max: 5 } }
feature { name: "city" type: BYTES domain: "cities" }
feature { name: "fate" type: BYTES not_in_environment: "SERVING" }
string_domain { name: "cities" value: "Oslo" value: "Bergen" }
default_environment: "TRAINING"
default_environment: "SERVING"
"""
PIPELINE = """
name: shop
source: {path: rows.csv}
splits: {key: [id]}
label: {column: fate, task: binary}
features: {visits: [z_score: {log1p: true}, quantile_buckets]}
crosses: [{columns: [city, visits]}]
"""

PLACE = 'feature { name: "place" type: FLOAT value_count { max: 99 } }\n'


@pytest.fixture
def folder(tmp_path):
    rows = [
        f"{i},{i % 7},{'Oslo' if i % 4 else 'Bodø'},{'left' if i % 3 else ''}" for i in range(99)
    ]
    (tmp_path / "rows.csv").write_text(
        "\n".join(["id,visits,city,fate", *rows, "x,1,,left"]) + "\n"
    )
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return tmp_path


def test_show_has_a_line_for_each_column(folder, capsys):
    assert cli.main(["show", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = {line.split("  ")[0]: " ".join(line.split()) for line in lines[4:]}
    assert shown["id"] == "id INT the split"
    assert shown["visits"].startswith(
        "visits INT z_score: {log1p: true}, quantile_buckets line 6 visits_z"
    )
    assert shown["city"] == "city BYTES in a cross"
    assert shown["fate"] == "fate BYTES the label"
    assert shown["city x visits"] == "city x visits cross city_x_visits"


def test_lists_of_options_are_shown_as_written_and_long_ones_shortened(folder, capsys):
    header, *rows = (folder / "rows.csv").read_text().splitlines()
    (folder / "rows.csv").write_text("\n".join([f"{header},at", *(f"{row},0" for row in rows)]))
    (folder / "days.csv").write_text("2024-12-25,Christmas\n")
    (folder / "cities.txt").write_text("\n".join(f"city {i}" for i in range(1_500)))
    text = PIPELINE.replace(
        "{visits:", "{at: [date_parts: {parts: [hour], holidays: days.csv}], visits:"
    ).replace("quantile_buckets]}", "quantile_buckets], city: [vocabulary: {terms: cities.txt}]}")
    (folder / "pipeline.yaml").write_text(text)
    time = 'feature { name: "at" type: INT time_domain { integer_format: UNIX_SECONDS } }\n'
    (folder / "schema.pbtxt").write_text(time + SCHEMA)
    assert cli.main(["show", str(folder)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert '[["2024-12-25",' in shown
    assert '"city 9", … 1,490 more]' in shown


PROJECTED = """
derive: {twice: 2 * visits}
features: {city: one_hot}
combinations:
  - random_projection: {columns: [visits, twice], components: 2}
"""


def test_show_has_a_line_for_each_combination(folder, capsys):
    sections = [line for line in PIPELINE.splitlines() if not line.startswith("features")]
    (folder / "pipeline.yaml").write_text("\n".join(sections) + PROJECTED)
    assert cli.main(["show", str(folder)]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "twice INT, derived in a random_projection" in shown
    assert any(
        line.startswith("visits x twice random_projection: {components: 2} visits_twice_")
        for line in shown
    )


def test_show_names_the_rule_of_each_column(folder, capsys):
    text = (folder / "pipeline.yaml").read_text()
    rules = '{number: z_score, /^ci/: drop, "*": {hash: {}}}'
    text = text.replace("{visits: [z_score: {log1p: true}, quantile_buckets]}", rules)
    (folder / "pipeline.yaml").write_text(text)
    assert cli.main(["show", str(folder)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "id INT the split not number, line 6: it is not in requests" in lines
    assert "visits INT z_score number, line 6 visits_z_score, visits_missing" in lines
    assert "city BYTES in a cross /^ci/, line 6" in lines
    assert "fate BYTES the label not *, line 6: it is part of the label" in lines


def test_show_names_folds_and_abridges_a_vector(folder, capsys):
    for name, old, new in (
        ("pipeline.yaml", "key: [id]", "key: [id], folds: 5"),
        ("pipeline.yaml", "quantile_buckets]", "quantile_buckets], place: {vector: {size: 99}}"),
        ("schema.pbtxt", 'feature { name: "id"', f'{PLACE}feature {{ name: "id"'),
        ("rows.csv", "id,visits", "id,place,visits"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
    assert cli.main(["show", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "by a hash of id; train has 5 folds" in shown
    assert "place_0, place_1, …, place_98, place_missing" in shown


def test_check_reads_the_first_rows(folder, capsys):
    assert cli.main(["check", str(folder)]) == 3
    shown = capsys.readouterr()
    assert "100 first records read, 34 rejected" in shown.out
    assert "1 not_an_integer in id: line 101 'x'" in shown.out
    assert "city: 16 values are outside of the domain" in shown.out
    assert "visits: 9 values are outside of the domain" in shown.out
    assert "label fate: 'left' 66" in shown.out
    assert "at most 1.0% (validation.max_rejected_fraction)" in shown.err


def test_check_accepts_what_a_run_accepts(folder, capsys):
    pipeline = (folder / "pipeline.yaml").read_text()
    (folder / "pipeline.yaml").write_text(f"{pipeline}validation: {{max_rejected_fraction: 0.5}}\n")
    assert cli.main(["check", str(folder)]) == 0
    assert "1 file(s) of the table have these columns" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_wrong_header_is_reported(folder, capsys, command):
    (folder / "rows.csv").write_text("id,visits,town,fate\n1,2,Oslo,left\n")
    assert cli.main([command, str(folder)]) == 3
    assert "the column 'city' is not in the file's header" in capsys.readouterr().err


def test_lists_are_shown_and_their_values_checked(folder, capsys):
    for name, old, new in (
        ("pipeline.yaml", "crosses: [{columns: [city, visits]}]\n", ""),
        ("pipeline.yaml", "quantile_buckets]", "quantile_buckets], city: vocabulary"),
        ("schema.pbtxt", "type: BYTES domain", "type: BYTES value_count { max: 3 } domain"),
        ("rows.csv", "Bodø", "Oslo|Bodø"),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
    assert cli.main(["show", str(folder)]) == 0
    assert "city    BYTES, up to 3 a row  vocabulary" in capsys.readouterr().out
    assert cli.main(["check", str(folder)]) == 3  # a third of the rows has no label
    assert "city: 16 values are outside of the domain" in capsys.readouterr().out
