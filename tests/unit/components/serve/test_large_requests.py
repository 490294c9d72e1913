"""While a large request is parsed, others are answered, and its timeout and version are kept."""

import asyncio
import json
import threading

import pytest

from components.serve import json_text
from components.serve.app import App
from components.serve.messages import Request
from tests.unit.components.serve.asking import answered

PATH = "/v1/models/taxi:predict"
ROW = {"fare": 12.5, "trips": 3, "company": "Blue"}
ROWS = 2_000


class Gate:
    """Delays the parsing of large requests until it is opened."""

    def __init__(self):
        self.entered, self.open = threading.Event(), threading.Event()
        self._loads = json_text.loads_object

    def loads(self, body):
        if len(body) > 1_000:
            self.entered.set()
            assert self.open.wait(10)
        return self._loads(body)


@pytest.fixture
def large(make_service, monkeypatch):
    """Run `test(ask, service, gate, answer)`, where a large request is pending."""

    def run(test, timeout=None):
        gate = Gate()
        monkeypatch.setattr(json_text, "loads_object", gate.loads)

        async def main():
            service = await make_service()
            app = App(service)

            async def ask(method, path, rows=0, timeout=None):
                document = json.dumps({"instances": [ROW] * rows}).encode() if rows else b""
                answer = await answered(app, Request(method, path, document, timeout))
                return answer.status, json.loads(answer.body)

            answer = asyncio.create_task(ask("POST", PATH, ROWS, timeout))
            assert await asyncio.to_thread(gate.entered.wait, 10)
            try:
                return await test(ask, service, gate, answer)
            finally:
                gate.open.set()
                await service.models.close()

        return asyncio.run(main())

    return run


def test_others_are_answered_while_it_is_read(large):
    async def test(ask, service, gate, answer):
        small = [await ask("GET", "/healthz"), await ask("POST", PATH, 1)]
        assert not answer.done()
        gate.open.set()
        return [status for status, _ in small], await answer

    small, (status, body) = large(test)
    assert small == [200, 200]
    assert status == 200
    assert body == {"predictions": [{"logits": 12.5, "scores": 25.0}] * ROWS}


def test_its_time_is_over_while_it_is_read(large):
    async def test(ask, service, gate, answer):
        return await answer

    assert large(test, timeout="0.2") == (504, {"error": "no answer within 0.2 s"})


def test_its_version_stays_until_it_is_answered(large, model):
    async def test(ask, service, gate, answer):
        service.models.configure(())  # unloads every version once all requests are answered
        assert (await ask("POST", PATH, 1))[0] == 404
        closed = model.closed
        gate.open.set()
        return closed, await answer

    closed, (status, _) = large(test)
    assert (closed, status) == (False, 200)
    assert model.closed
