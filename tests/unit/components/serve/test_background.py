"""Items are handled in order, or dropped and counted, and nothing waits."""

import logging
import threading

from components.serve.background import Background


class Blocked:
    """A handler that keeps its first batch until it is released."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()
        self.handled: list[str] = []

    def __call__(self, items):
        if items and not self.begun.is_set():
            self.begun.set()
            assert self.go.wait(10)
        self.handled += items


def test_everything_is_handled_in_order_before_it_closes():
    handled: list[int] = []
    background = Background("test", handled.extend, 1_000)
    assert all(background.offer(i) for i in range(500))
    background.close()
    assert handled == list(range(500))
    assert background.dropped == 0


def test_what_would_be_too_much_is_dropped_and_counted():
    blocked = Blocked()
    background = Background("test", blocked, 10)
    assert background.offer("first", 4)
    assert blocked.begun.wait(10)  # it counts while it is being handled
    assert background.offer("second", 6)
    assert not background.offer("third", 1)
    assert background.dropped == 1
    blocked.go.set()
    background.close()
    assert blocked.handled == ["first", "second"]


def test_one_failing_batch_does_not_end_the_thread(caplog):
    handled, failed = [], threading.Event()

    def handle(items):
        if items == ["bad"]:
            failed.set()
            raise RuntimeError("broken")
        handled.extend(items)

    background = Background("test", handle, 10)
    with caplog.at_level(logging.ERROR):
        background.offer("bad")
        assert failed.wait(10)
        background.offer("good")
        background.close()
    assert handled == ["good"]
    assert "1 items are lost" in caplog.text


def test_nothing_is_taken_once_it_is_closed():
    background: Background[str] = Background("test", lambda items: None, 10)
    background.close()
    assert not background.offer("late")
    assert background.dropped == 1
