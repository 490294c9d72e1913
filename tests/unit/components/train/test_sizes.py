"""Sizes that follow from the number of training rows."""

from components.train.sizes import batch_rows, round_steps


def test_a_round_is_an_epoch_of_a_small_table_and_less_of_a_large_one():
    rows = (1, 500, 30_000, 250_000, 10_000_000)
    steps = [-(-each // batch_rows(each)) for each in rows]
    rounds = [round_steps(each) for each in steps]
    assert rounds[:4] == steps[:4]
    assert rounds[4] < steps[4]
    assert max(rounds) * batch_rows(rows[-1]) < 300_000
