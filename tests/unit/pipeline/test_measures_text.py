"""The tables of measures show every rule and drift, below its threshold or not."""

from pipeline.measures_text import tables
from pipeline.summary import Summary


def drift(column, value, chance=0.01):
    return {
        "column": column,
        "split": "eval",
        "measure": "L_INFTY",
        "value": value,
        "threshold": 0.1,
        "chance": chance,
    }


def rule(name, holds):
    return {
        "name": name,
        "split": "train",
        "holds": holds,
        "measured": "1 of 2 rows fail (50 %)",
        "threshold": "no row fails",
    }


def of(**measures):
    summary = Summary(
        pipeline="t", run_id="1", status="failed", seconds=1, stages=(), log="l", **measures
    )
    return [[line.split() for line in drawn.splitlines()] for drawn in tables(summary)]


def test_drift_is_shown_below_its_threshold_too_the_worst_first():
    (lines,) = of(drift=(drift("a", 0.05), drift("b", 0.3), drift("c", 0.2, chance=0.25)))
    assert lines == [
        ["drift", "from", "to", "measure", "value", "threshold", "by", "chance"],
        ["b", "train", "eval", "L-infinity", "0.3000", "0.1", "0.0100", "DRIFTED"],
        ["c", "train", "eval", "L-infinity", "0.2000", "0.1", "0.2500", "chance"],
        ["a", "train", "eval", "L-infinity", "0.0500", "0.1", "0.0100"],
    ]


def test_broken_rules_come_first():
    (lines,) = of(rules=(rule("holds", True), rule("fails", False)))
    assert [line[0] for line in lines] == ["rule", "fails", "holds"]
    assert [line[-1] for line in lines] == ["allowed", "BROKEN", "fails"]


def test_long_tables_are_cut_with_their_number():
    (lines,) = of(drift=tuple(drift(f"c{i:02}", i / 1000) for i in range(20)))
    assert len(lines) == 14
    assert " ".join(lines[-1]) == "… and 8 more in summary.json"


def test_without_measures_there_is_no_table():
    assert of() == []
