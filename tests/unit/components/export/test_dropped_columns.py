"""The names of dropped columns in a SavedModel's folder."""

import pytest

from components.export import column_file
from schemas.errors import ModelError


def test_names_are_read_back_and_none_need_no_file(tmp_path):
    column_file.write(str(tmp_path), ())
    column_file.write_dropped(str(tmp_path), ())
    assert not (tmp_path / column_file.DROPPED_FILE).exists()
    assert column_file.read_dropped(str(tmp_path)) == frozenset()
    column_file.write_dropped(str(tmp_path), {"é": "equal to x", "a": "constant"})
    assert column_file.read_dropped(str(tmp_path)) == {"a", "é"}


@pytest.mark.parametrize("text", ["", "{}", "[1]", '["a"'])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, text):
    column_file.write(str(tmp_path), ())
    (tmp_path / column_file.DROPPED_FILE).write_text(text)
    with pytest.raises(ModelError) as caught:
        column_file.read_dropped(str(tmp_path))
    assert "dropped_columns.json" in str(caught.value.where)
