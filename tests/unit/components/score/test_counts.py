"""The summary of a stream's rows in words."""

from components.score.counts import READ, REJECTED, SCORED, in_words


def lines_for(counts):
    return in_words(counts, scores="scored", rejects="dead")


def test_an_end_in_order_says_what_went_where():
    assert lines_for({READ: 15_002, SCORED: 15_002}) == [
        "15,002 rows read, 15,002 scored",
        "scores: scored",
    ]
    assert lines_for({READ: 3, SCORED: 2, REJECTED: 1})[1] == "1 rejected: dead"
    assert lines_for({})[0] == "0 rows read, 0 scored"


def test_unfinished_rows_are_reported():
    lines = lines_for({READ: 10, SCORED: 4, REJECTED: 1})
    assert "5 read and not yet written" in lines
