from hypothesis import given
from hypothesis import strategies as st

from components.validate.table import render


def test_columns_are_aligned() -> None:
    drawn = render(("column", "seen"), [("fare", "-3"), ("payment_type", "7")], widths=(20, 20))
    assert drawn == "  column        seen\n  fare          -3\n  payment_type  7"


def test_long_cells_go_on_in_the_next_line() -> None:
    drawn = render(("what", "seen"), [("one two three", "x")], widths=(8, 4))
    assert drawn == "  what     seen\n  one two  x\n  three"


def test_a_long_name_is_kept_whole() -> None:
    name = "a_very_long_column_name"
    assert name in render(("column",), [(name,)], widths=(8,))


def test_more_than_the_most_lines_are_marked_as_left_out() -> None:
    drawn = render(("seen",), [("a b c d",)], widths=(1,), max_lines=2)
    assert drawn.splitlines()[-2:] == ["  a", "  b …"]


def test_controls_are_shown_escaped() -> None:
    assert render(("seen",), [("x\n\x1b[31m",)], widths=(20,)).splitlines()[1] == "  x\\n\\x1b[31m"


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=4))
def test_any_text_is_drawn_without_breaking_lines(rows: list[tuple[str, str]]) -> None:
    drawn = render(("a", "b"), rows, widths=(7, 9), max_lines=1)
    assert len(drawn.split("\n")) == 1 + len(rows)
    assert all(c.isprintable() for line in drawn.split("\n") for c in line)
