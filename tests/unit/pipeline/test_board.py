"""Events become the state of a run."""

from components.progress import Event
from pipeline.board import Board

NAMES = ("ingest", "statistics", "train")


def names(stages):
    return [stage.name for stage in stages]


def test_rows_add_up_and_give_a_rate():
    board = Board(NAMES)
    board.update(Event("ingest", "start"), 10.0)
    board.update(Event("ingest", "rows", rows=300), 11.0)
    board.update(Event("ingest", "rows", rows=100), 12.0)
    stage = board.stages["ingest"]
    assert board.running is stage
    assert (stage.name, stage.rows, stage.rows_per_second(14.0)) == ("ingest", 400, 100.0)
    ended = board.update(Event("ingest", "done", seconds=8.0), 18.0)
    assert (names(ended), stage.state, stage.rows_per_second(99.0)) == (["ingest"], "done", 50.0)
    assert board.running is None


def test_a_stage_that_says_nothing_was_cached_once_a_later_one_starts():
    board = Board(NAMES)
    assert names(board.update(Event("train", "start"), 0.0)) == ["ingest", "statistics"]
    assert {s.name: s.state for s in board.stages.values()} == {
        "ingest": "cached",
        "statistics": "cached",
        "train": "running",
    }


def test_a_remark_on_a_stage_before_it_starts_is_a_note():
    board = Board(NAMES)
    remark = Event("statistics", "remark", values={"remark": "not used again"})
    assert names(board.update(remark, 0.0)) == ["ingest"]
    assert board.stages["statistics"].state == "waiting"
    assert board.stages["statistics"].notes == {"remark": "not used again"}
    assert names(board.update(Event("statistics", "start"), 1.0)) == []


def test_what_is_left_at_the_end_was_cached():
    board = Board(NAMES)
    board.update(Event("ingest", "start"), 0.0)
    board.update(Event("ingest", "done", seconds=1.0), 1.0)
    assert names(board.finish()) == ["statistics", "train"]
    assert board.finish() == []


def test_a_stage_that_is_not_needed_is_not_among_the_stages():
    board = Board(NAMES)
    board.leave_out("ingest")
    board.update(Event("train", "start"), 0.0)
    assert list(board.stages) == [name for name in NAMES if name != "ingest"]


def test_a_failure_leaves_later_stages_waiting():
    board = Board(NAMES)
    board.update(Event("ingest", "start"), 0.0)
    board.update(Event("ingest", "failed", seconds=0.5), 0.5)
    assert board.failed is board.stages["ingest"]
    assert board.stages["train"].state == "waiting"


def test_the_latest_metrics_and_all_notes_are_kept():
    board = Board(NAMES)
    board.update(Event("train", "start"), 0.0)
    board.update(Event("train", "metrics", values={"epoch": 1, "loss": 0.5}), 1.0)
    board.update(Event("train", "metrics", values={"epoch": 2, "loss": 0.4}), 2.0)
    board.update(Event("train", "note", values={"best_epoch": 2}), 3.0)
    assert board.stages["train"].metrics == {"epoch": 2, "loss": 0.4}
    assert board.stages["train"].notes == {"best_epoch": 2}


def test_counts_add_up_by_name():
    board = Board(NAMES)
    for name, rows in (("read", 3), ("scored", 2), ("read", 4)):
        board.update(Event("train", "count", values={name: rows}), 1.0)
    assert board.stages["train"].counts == {"read": 7, "scored": 2}
    assert board.stages["train"].rows == 0
