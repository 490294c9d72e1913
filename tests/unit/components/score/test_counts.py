"""What became of a stream's rows, in words."""

from components.score.counts import READ, REJECTED, SCORED, in_words


def told(counts):
    return in_words(counts, scores="scored", rejects="dead")


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
