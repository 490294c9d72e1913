"""Waiting requests are batched, answered separately, and never wait forever."""

import asyncio
import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.serve.batcher import Batcher
from components.serve.failures import RequestError
from components.serve.settings import Limits
from components.serve.shares import split
from tests.unit.components.serve.asking import computed


class Gate:
    """A model that doubles, and computes nothing until it is opened."""

    def __init__(self):
        self.open = threading.Event()
        self.entered = threading.Event()
        self.calls = []

    def run(self, key, inputs):
        self.entered.set()
        assert self.open.wait(10)
        self.calls.append((key, inputs["x"].tolist()))
        if (inputs["x"] < 0).any():
            raise RequestError("negative")
        return {"y": inputs["x"] * 2}


def together(limits, requests, *, seconds=10.0):
    """Submit "first", then the requests while it is computed; return the gate and all results."""
    gate = Gate()

    async def main():
        batcher = Batcher(gate.run, limits)
        first = asyncio.ensure_future(computed(batcher, "first", {"x": np.array([0])}, 1, 10.0))
        await asyncio.to_thread(gate.entered.wait, 10)
        rest = [
            asyncio.ensure_future(
                computed(batcher, key, {"x": np.array(x)}, len(x) if joins else None, seconds)
            )
            for key, x, joins in requests
        ]
        if seconds < 1:
            await asyncio.wait(rest)
        else:
            await asyncio.sleep(0)  # now all of them are in the queue
        gate.open.set()
        results = await asyncio.gather(first, *rest, return_exceptions=True)
        await batcher.close()
        return results[1:]

    results = asyncio.run(main())
    return gate, [r if isinstance(r, Exception) else r.outputs["y"].tolist() for r in results]


def test_what_waits_is_joined_by_signature_and_split_again():
    gate, results = together(
        Limits(), [("a", [1], True), ("b", [2], True), ("a", [3, 4], True), ("a", [5], False)]
    )
    assert results == [[2], [4], [6, 8], [10]]
    assert gate.calls == [("first", [0]), ("a", [1, 3, 4]), ("b", [2]), ("a", [5])]


def test_a_batch_is_not_larger_than_its_limit_unless_one_request_is():
    gate, results = together(
        Limits(batch_rows=3), [("a", [1, 2], True), ("a", [3, 4], True), ("a", [5], True)]
    )
    assert results == [[2, 4], [6, 8], [10]]
    assert gate.calls[1:] == [("a", [1, 2, 5]), ("a", [3, 4])]
    gate, results = together(Limits(batch_rows=1), [("a", [1, 2, 3], True)])
    assert results == [[2, 4, 6]]


def test_a_bad_request_fails_alone():
    gate, results = together(Limits(), [("a", [1], True), ("a", [-2], True), ("a", [3], True)])
    assert results[0] == [2]
    assert str(results[1]) == "negative"
    assert results[2] == [6]
    assert gate.calls[1:] == [("a", [1, -2, 3]), ("a", [1]), ("a", [-2]), ("a", [3])]


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        (Limits(requests=2), [None, None, 429, 429]),
        (Limits(rows=3), [None, 429, None, 429]),
    ],
)
def test_a_full_queue_refuses_at_once(limits, statuses):
    requests = [("a", [1, 2], True), ("a", [3, 4], True), ("a", [5], True), ("a", [6], True)]
    _, results = together(limits, requests)
    assert [getattr(result, "status", None) for result in results] == statuses


def test_a_request_larger_than_the_queue_is_taken_by_an_empty_one():
    _, results = together(Limits(rows=1), [("a", [1, 2], True)])
    assert results == [[2, 4]]


def test_what_waits_too_long_is_given_up_and_not_computed():
    gate, results = together(Limits(rows=2), [("a", [1, 2], True)], seconds=0.01)
    assert results[0].status == 504
    assert gate.calls == [("first", [0])]


def test_the_one_that_is_computed_is_given_up_too_and_the_next_is_answered():
    gate = Gate()

    async def main():
        batcher = Batcher(gate.run, Limits())
        with pytest.raises(RequestError, match=r"no answer within 0\.01 s") as caught:
            await computed(batcher, "a", {"x": np.array([1])}, 1, 0.01)
        gate.open.set()
        answer = await computed(batcher, "a", {"x": np.array([2])}, 1, 10.0)
        await batcher.close()
        return caught.value.status, answer.outputs["y"].tolist()

    assert asyncio.run(main()) == (504, [4])


def test_outputs_are_split_by_rows_or_not_at_all():
    shares = split({"y": np.arange(4)}, [1, 0, 3])
    assert [share["y"].tolist() for share in shares] == [[0], [], [1, 2, 3]]
    with pytest.raises(ValueError, match="array 'y' of 2 rows has shape"):
        split({"y": np.arange(3)}, [1, 1])


def test_the_counter_receives_every_batch():
    batches = []

    async def main():
        batcher = Batcher(
            lambda key, inputs: inputs, Limits(), lambda *batch: batches.append(batch)
        )
        asking = [computed(batcher, "a", {"x": np.zeros(rows)}, rows, 10.0) for rows in (3, 2)]
        await asyncio.gather(*asking)
        await batcher.close()

    asyncio.run(main())
    assert [batch[:2] for batch in batches] == [(5, 2)]
    assert batches[0][2] >= 0


@settings(deadline=None)  # threads take turns, which a busy machine makes long
@given(
    st.lists(st.lists(st.one_of(st.floats(width=32), st.none()), min_size=1), min_size=1),
    st.integers(1, 9),
)
def test_an_answer_is_the_same_joined_or_alone(requests, batch_rows):
    def run(key, inputs):
        return {"y": np.array([str(value) for value in inputs["x"]], object)}

    def asked(request):
        return {"x": np.array(request, object)}

    async def main():
        batcher = Batcher(run, Limits(batch_rows=batch_rows))
        asking = [computed(batcher, "a", asked(r), len(r), 10.0) for r in requests]
        answers = await asyncio.gather(*asking)
        await batcher.close()
        return [answer.outputs["y"].tolist() for answer in answers]

    alone = [run("a", asked(request))["y"].tolist() for request in requests]
    assert asyncio.run(main()) == alone


def where_computed(batches, seconds):
    """Submit so many batches of this duration; return the threads that computed them."""
    threads = []

    def run(key, inputs):
        threads.append(threading.current_thread().name)
        return inputs

    async def main():
        batcher = Batcher(run, Limits())
        for rows in batches:
            await computed(batcher, "a", {"x": np.zeros(rows)}, rows, 10.0)
        await batcher.close()

    with pytest.MonkeyPatch.context() as patch:
        ticks = itertools.count(0, seconds)
        patch.setattr("components.serve.batcher.time.perf_counter", lambda: next(ticks))
        asyncio.run(main())
    return threads


def test_a_model_that_has_shown_to_be_quick_is_asked_in_the_loop():
    *slow, last = where_computed([1] * 100, seconds=0.001)
    assert slow[0] == "model"
    assert last != "model"


def test_a_slow_model_and_a_large_batch_are_computed_in_a_thread():
    assert set(where_computed([1] * 100, seconds=0.01)) == {"model"}
    assert where_computed([*[1] * 100, 2_000], seconds=0.001)[-1] == "model"


def test_an_answer_that_cannot_be_given_harms_no_other(caplog):
    def fail(done):
        raise OSError("the client has disconnected")

    async def main():
        batcher = Batcher(lambda key, inputs: inputs, Limits())
        batcher.submit("a", {"x": np.zeros(1)}, 1, 10.0, fail)
        answer = await computed(batcher, "a", {"x": np.ones(1)}, 1, 10.0)
        await batcher.close()
        return answer.outputs["x"].tolist()

    assert asyncio.run(main()) == [1]
    assert "could not be answered" in caplog.text


def test_a_batch_that_is_computed_when_the_loop_has_ended_is_dropped():
    gate = Gate()

    async def main():
        batcher = Batcher(gate.run, Limits())
        batcher.submit("key", {"x": np.array([1])}, 1, 10.0, lambda _: None)
        await asyncio.to_thread(gate.entered.wait, 10)
        return batcher

    batcher = asyncio.run(main())
    gate.open.set()
    batcher._thread.join(10)
    assert not batcher._thread.is_alive()
    assert gate.calls == [("key", [1])]
