"""Column types: one table, read by all other code, with a way to read and to try each of them."""

import ast
import re
from pathlib import Path

import pyarrow as pa
import pytest

from components.parity.values import adversarial_values
from components.sources.cells import convert
from components.sources.rejects import RejectReason
from components.sources.typed import of_json
from schemas.types import TYPES
from tests.columns import column_of

ROOT = Path(__file__).parents[3]
ROOMS = ("schemas", "components", "pipeline", "benchmarks", "deploy")
QUOTED = re.compile(rf"""["'`](?:{"|".join(TYPES)})["'`]""")
KEY = re.compile(rf"\b(?:{'|'.join(TYPES)}):")


def texts(ending):
    for room in ROOMS:
        for path in (ROOT / room).rglob(f"*.{ending}"):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def literals(text):
    """Lines on which a type's name stands as a whole text; docstrings and messages are none."""
    if not QUOTED.search(text):
        return []
    nodes = ast.walk(ast.parse(text))
    return [n.lineno for n in nodes if isinstance(n, ast.Constant) and n.value in TYPES]


def test_no_other_python_file_names_a_type():
    named = {(path, line) for path, text in texts("py") for line in literals(text)}
    assert {path for path, _ in named} == {"schemas/types.py"}, (
        f"read schemas/types.py instead: {sorted(named)}"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('if kind == "INT":\n    pass', [1]),
        ('x = {\n    "BYTES": 1,\n}', [2]),
        ('ok = kind in ("INT", "FLOAT")', [1, 1]),
        ('"""It is "INT"."""\nraise ValueError("INT is whole")', []),
    ],
)
def test_a_name_is_found_wherever_it_stands(text, lines):
    assert literals(text) == lines


def test_no_script_of_the_page_names_a_type():
    named = [path for path, text in texts("js") if QUOTED.search(text) or KEY.search(text)]
    assert named == []


@pytest.mark.parametrize("each", TYPES.values(), ids=TYPES)
def test_what_is_missing_fits_the_types_that_hold_it(each):
    assert isinstance(each.request_missing, str) == each.is_requested_as_text
    assert isinstance(each.missing, bytes) == each.is_text
    assert isinstance(each.missing, int) == each.is_whole


@pytest.mark.parametrize("each", TYPES.values(), ids=TYPES)
def test_text_and_json_are_read_as_what_examples_hold(each):
    column, held = column_of(each.name), pa.type_for_alias(each.arrow)
    assert convert(pa.array([None, "1"], pa.string()), column).values.type == held
    cells = of_json([None, [1]], column)
    assert cells.values.type == held
    assert cells.reasons.tolist() == [RejectReason.FITS, cells.reasons[1]]
    assert cells.reasons[1] in {
        RejectReason.NOT_AN_INTEGER,
        RejectReason.NOT_A_NUMBER,
        RejectReason.NOT_TEXT,
        RejectReason.NOT_A_BOOLEAN,
        RejectReason.NOT_A_TIME,
    }


@pytest.mark.parametrize("name", TYPES)
def test_parity_has_values_to_try(name):
    assert adversarial_values(column_of(name), [])
