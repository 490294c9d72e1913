"""The noise of data that did not move, and the report of reads."""

import pytest

from components.validate import log_files, skew, skew_text
from components.validate.findings import Drift
from components.validate.moved import MISSING, Moved, NewValue, Skew
from schemas.errors import ConfigError

pytestmark = pytest.mark.component


def drift(column, value, chance=0.01, measure="L_INFTY"):
    return Drift(
        column=column, split="any", measure=measure, value=value, threshold=0.1, chance=chance
    )


def moved(column, value, **changes):
    values = {
        "measure": "L_INFTY",
        "threshold": 0.1,
        "chance": 0.01,
        "moved": value > 0.1,
        "missing_training": 0.25,
        "missing_requests": 0.5,
    }
    return Moved(column=column, value=value, **{**values, **changes})


def comparison(*columns, **changes):
    values = {
        "rows": 1_500,
        "training_rows": 9_000,
        "signatures": {"raw_columns": 1_500},
        "cut": {},
        "ignored": {},
        "passed_over": 0,
        "notes": (),
        "anomalies": (),
    }
    return Skew(columns=columns, **{**values, **changes})


def test_noise_is_twice_what_the_held_out_splits_show_at_most():
    held_out = [drift("a", 0.02), drift("a", 0.05), drift("b", 0.9, measure="MISSING_SHARE")]
    (a, b) = skew.with_noise([drift("a", 0.3), drift("b", 0.3)], held_out)
    assert a.chance == pytest.approx(0.01 + 2 * 0.05)
    assert b.chance == 0.01  # the other measure's noise is not this one's


def test_chance_is_never_more_than_everything():
    (only,) = skew.with_noise([drift("a", 0.3, chance=0.6)], [drift("a", 0.5)])
    assert only.chance == 1.0


def test_the_table_names_what_moved_and_by_how_much():
    new = (NewValue(value="Karte", share=0.25),)
    result = comparison(moved("payment", 0.31, new_values=new), moved("hour", 0.02))
    text = "\n".join(skew_text.lines(result))
    (line,) = (line for line in text.splitlines() if "payment" in line and "MOVED" in line)
    for part in ("L-infinity", "0.3100", "0.1", "25.00 % → 50.00 %", "'Karte' 25.00 %"):
        assert part in line
    assert "1 column moved: payment" in text
    assert not [line for line in text.splitlines() if "hour" in line and "MOVED" in line]


def test_missing_values_have_a_separate_line_if_they_moved():
    result = comparison(moved("fare", 0.4, measure=MISSING), moved("hour", 0.01, measure=MISSING))
    text = "\n".join(skew_text.lines(result))
    assert "fare" in text
    assert "hour" not in text


def test_control_characters_of_a_client_do_not_reach_the_terminal():
    new = (NewValue(value="\x1b[2J", share=0.5),)
    text = "\n".join(skew_text.lines(comparison(moved("payment", 0.3, new_values=new))))
    assert "\x1b" not in text


def test_logs_are_found_in_folders_in_their_order(tmp_path):
    for name in ("requests-2.tfrecord", "requests-1.tfrecord", "requests-3.tfrecord.partial", "x"):
        (tmp_path / name).write_bytes(b"")
    assert [path.rpartition("-")[2] for path in log_files.find([str(tmp_path)])] == [
        "1.tfrecord",
        "2.tfrecord",
        "3.tfrecord.partial",
    ]
    with pytest.raises(ConfigError, match="no file or folder"):
        log_files.find([str(tmp_path / "nowhere")])
