"""What became of a stream's rows, in words."""

from components.score.counts import READ, REJECTED, SCORED, in_words


def told(counts, *, goes_on=False):
    return in_words(counts, scores="scored", rejects="dead", goes_on=goes_on)


def test_an_end_in_order_says_what_went_where():
    assert told({READ: 15_002, SCORED: 15_002}) == [
        "15,002 rows read, 15,002 scored",
        "scores: scored",
    ]
    assert told({READ: 3, SCORED: 2, REJECTED: 1})[1] == "1 rejected: dead"
    assert told({})[0] == "0 rows read, 0 scored"


def test_what_was_not_finished_is_said():
    lines = told({READ: 10, SCORED: 4, REJECTED: 1})
    assert "5 read and not yet written" in lines


def test_a_job_that_was_left_to_its_runner_is_said_to_go_on():
    lines = told({READ: 10, SCORED: 10}, goes_on=True)
    assert lines[0] == "10 rows read, 10 scored so far"
    assert "the runner goes on with the job: end it there" in lines
