"""`init` finds from its first lines how a CSV file is written, and what is doubtful."""

import gzip

import pytest

from components.profile.table import look
from components.sources.csv_dialect import dialect_of, made_names, number_format
from schemas.sources.csv import Csv

ROWS = "id;price;town\n" + "".join(f"{n};{n},5;Köln\n" for n in range(9))


@pytest.fixture
def drafted(tmp_path):
    """Return a function that returns the options of a file, besides its path."""

    def drafting(data, name="rows.csv"):
        path = tmp_path / name
        path.write_bytes(data)
        options = dialect_of(str(path)).model_dump(exclude_defaults=True)
        assert options.pop("path") == str(path)
        return options

    return drafting


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("utf-16", {"encoding": "utf-16"}),
        ("utf-16-le", {"encoding": "utf-16-le"}),
        ("cp1252", {"encoding": "cp1252"}),
    ],
)
def test_the_encoding_is_that_of_the_first_bytes(drafted, encoding, found):
    data = ROWS.encode(encoding)
    expected = {"delimiter": ";", "decimal": ",", **found}
    assert drafted(data) == drafted(gzip.compress(data), "rows.csv.gz") == expected


def test_bytes_that_windows_does_not_have_are_latin_1(drafted):
    assert drafted(b"a,b\n\x81,1\n")["encoding"] == "iso8859-1"


def test_a_first_line_with_other_fields_than_the_rows_is_a_comment(drafted):
    assert drafted(b"# made today\na,b\nx,2\n#\n") == {"comment": "#"}
    assert drafted(b"#a,b\nx,2\n") == {}


def test_a_first_line_of_values_is_a_row(drafted):
    assert drafted(b"1,x\n2,y\n3,x\n") == {"header": False, "names": ("column_1", "column_2")}
    assert made_names([["2023", "2024"]]) == ()  # no row shows that these are values


def test_numbers_of_both_habits_are_read_as_with_a_point():
    assert number_format(["1.5", "1,5"]) == (".", "")


def test_a_table_with_a_decimal_comma_has_numbers(tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS.replace("8,5", "1.008,5"))
    table = look(str(tmp_path / "rows.csv"), named="rows.csv")
    assert table.source == Csv(path="rows.csv", delimiter=";", decimal=",", thousands=".")
    by_name = {column.name: column.array.to_pylist() for column in table.columns}
    assert by_name["price"][-2:] == ["7.5", "1008.5"]
    assert by_name["town"][0] == "Köln"
