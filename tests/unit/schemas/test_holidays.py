"""Lists of holidays: what is read, and what is refused with file and line."""

from datetime import date

import pytest

from schemas import catalog
from schemas.errors import ConfigError
from schemas.holidays import read_holidays
from tests.unit.schemas.conftest import refusal

CHRISTMAS, NEW_YEAR = (date(2024, 12, 25), "Christmas"), (date(2025, 1, 1), "")


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01\n2024-12-25,Christmas\n",
        "\ufeffDate,Name\r\n\r\n# comment\r\n2024-12-25, Christmas\r\n2025-01-01,",
        'date\n"2024-12-25","Christmas"\n 2025-01-01 ',
    ],
)
def test_dates_are_read_in_order(tmp_path, text):
    path = tmp_path / "holidays.csv"
    path.write_bytes(text.encode())
    assert read_holidays(path) == (CHRISTMAS, NEW_YEAR)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("2024-12-25\n2025-02-30\n", ":2", "'2025-02-30' is not a date"),
        ("2024-12-25\n\ndate\n", ":3", "'date' is not a date"),
        ("2024-12-25\n2025-01-01\n2024-12-25,X\n", ":3", "listed twice, first on line 1"),
        ("2024-12-25,a,b\n", ":1", "got 3 cells"),
        ("date,name\n", "", "has 0 dates"),
        ("2024-12-25\n\xff\n", ":2", "is not UTF-8"),
    ],
)
def test_an_error_names_file_and_line(tmp_path, text, line, expected):
    path = tmp_path / "holidays.csv"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(ConfigError, match=expected) as caught:
        read_holidays(path)
    assert caught.value.where == f"{path}{line}"


def test_pipeline_yaml_has_the_path_and_stages_receive_the_dates(folder):
    (folder.path / "holidays.csv").write_text("2024-12-25,Christmas\n2025-01-01\n")
    time = '"at" type: INT time_domain { integer_format: UNIX_DAYS }'
    folder.change_schema('"hour" type: INT', f'"hour" type: INT }}\nfeature {{ name: {time}')
    new = "at: {date_parts: {holidays: holidays.csv}}"
    line = folder.change("hour: [vocabulary, z_score]", new)
    (feature,) = (f for f in catalog.load(str(folder)).spec.features if f.column == "at")
    (sent,) = feature.model_dump(mode="json")["treatments"]
    assert sent["holidays"] == [["2024-12-25", "Christmas"], ["2025-01-01", ""]]
    (folder.path / "holidays.csv").unlink()
    assert f"pipeline.yaml:{line}: features.1." in str(refusal(folder))
    assert "there is no file" in str(refusal(folder))


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ("date_parts: {zone: america/chicago}", "did you mean 'America/Chicago'?"),
        ("date_parts: {zone: XYZZY}", "expected one such as America/Chicago"),
        ("cyclic: {periods: [day, day]}", "'day' is listed twice"),
        ("cyclic: {periods: []}", "periods"),
        ("elapsed: {since: 2014}", "expected a date such as 2014-01-01, got 2014"),
        ("elapsed: {since: '2014-13-01'}", "expected a date such as 2014-01-01, got '2014-13-01'"),
        ("elapsed: {since: 1600-01-01}", "1685-01-01"),
        ("elapsed: {since: 2014-01-01, unit: day}", "unit"),
        ("elapsed: {unit: days}", "expected `since`, a date, or `since_column`"),
    ],
)
def test_wrong_options_of_times_name_the_line(folder, treatment, expected):
    line = folder.change("hour: [vocabulary, z_score]", f"hour: {{{treatment}}}")
    error = str(refusal(folder))
    assert f"pipeline.yaml:{line}: features.1." in error
    assert expected in error
