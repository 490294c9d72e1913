"""Attacks on the gRPC port use no more of a server than the limits allow, and a little."""

import asyncio
import contextlib
import socket

import grpc
import pytest
from grpc_health.v1 import health_pb2

from components.serve import grpc_reading
from components.serve.grpc_names import CHECK, PREDICT, WATCH
from tests.unit.components.serve.grpc_server import listening

TOKEN = "s3cret-s3cret-s3cret"
RIGHT = (("authorization", f"Bearer {TOKEN}"),)
GZIP, DEFLATE = grpc.Compression.Gzip, grpc.Compression.Deflate


class Echo:
    def __init__(self):
        self.bodies = []
        self.go = asyncio.Event()
        self.go.set()

    async def answer(self, method, body, exchange, seconds):
        self.bodies.append(body)
        await self.go.wait()
        return body[:100]


@pytest.fixture
def attacked(make_service):
    """Run `test(channel, service, app, port)` against a server; return its result."""

    def run(test, *, token=None, in_flight=1 << 20, **address):
        async def main():
            service = await make_service(token=token, max_bytes_in_flight=in_flight)
            async with listening(service, **address) as (listener, port, channel):
                app = Echo()
                listener.serve(app)
                given = await test(channel, service, app, port)
                assert service.budget.used == 0
                return given

        return asyncio.run(asyncio.wait_for(main(), 30))

    return run


@contextlib.asynccontextmanager
async def refused(code, message=""):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert caught.value.code() == getattr(grpc.StatusCode, code), caught.value.details()
    assert message in caught.value.details()


def begun(channel, method=PREDICT, metadata=()):
    """Return a call whose message never arrives."""
    return channel.stream_unary(method)(metadata=metadata)


def test_the_token_is_checked_before_the_message(attacked):
    async def test(channel, service, app, port):
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            async with refused("UNAUTHENTICATED"):
                await begun(channel, metadata=metadata)  # sends no message
            async with refused("UNAUTHENTICATED"):
                await channel.unary_unary(PREDICT)(bytes(900_000), metadata=metadata)
        assert await channel.unary_unary(PREDICT)(b"x", metadata=RIGHT) == b"x"
        assert app.bodies == [b"x"]

    attacked(test, token=TOKEN)


@pytest.mark.parametrize("compression", [GZIP, DEFLATE])
def test_packed_messages_are_read_within_their_limits(attacked, compression):
    async def test(channel, service, app, port):
        call = channel.unary_unary(PREDICT)
        for size in (0, 1, 1_000, 300_000):
            await call(b"a" * size, compression=compression)
            assert app.bodies.pop() == b"a" * size
        async with refused("INVALID_ARGUMENT", "more than 500000 bytes"):
            await call(bytes(20_000_000), compression=compression)
        assert app.bodies == []

    attacked(test, max_bytes=500_000)


def test_others_are_answered_while_a_message_is_unpacked(attacked, held_unpacking):
    entered, go = held_unpacking

    async def test(channel, service, app, port):
        call = channel.unary_unary(PREDICT)
        packed = asyncio.ensure_future(call(bytes(300_000), compression=GZIP))
        assert await asyncio.to_thread(entered.wait, 10)
        assert await call(b"x") == b"x"
        go.set()
        assert await packed == bytes(100)

    attacked(test)


def test_messages_in_flight_are_bounded(attacked):
    async def test(channel, service, app, port):
        app.go.clear()
        call = channel.unary_unary(PREDICT)
        held = [asyncio.ensure_future(call(bytes(400))) for _ in range(2)]
        while len(app.bodies) < 2:
            await asyncio.sleep(0.001)
        async with refused("RESOURCE_EXHAUSTED", "800 bytes are in flight"):
            await call(bytes(400))
        async with refused("RESOURCE_EXHAUSTED", "try again later"):
            await call(b"a" * 300_000, compression=GZIP)
        check = health_pb2.HealthCheckRequest().SerializeToString()
        assert await channel.unary_unary(CHECK)(check)
        app.go.set()
        assert [len(answer) for answer in await asyncio.gather(*held)] == [100, 100]

    attacked(test, in_flight=1_000)


def test_messages_that_do_not_come_reserve_room_and_make_it(attacked, monkeypatch):
    monkeypatch.setattr(grpc_reading, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(grpc_reading, "_PATIENCE_SECONDS", 0.3)

    async def test(channel, service, app, port):
        calls = [begun(channel) for _ in range(4)]
        done, waiting = await asyncio.wait(
            [asyncio.ensure_future(_code(call)) for call in calls], timeout=0.25
        )
        assert {task.result() for task in done} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert len(waiting) == 2
        assert service.budget.used == 2_000
        assert await channel.unary_unary(PREDICT)(b"x") == b"x"  # a message in one piece is read
        await asyncio.sleep(0.2)
        newest = begun(channel)
        done, waiting = await asyncio.wait(waiting, timeout=5, return_when="FIRST_COMPLETED")
        assert len(done) == 1  # the oldest
        await newest.write(b"late")
        await newest.done_writing()
        assert await newest == b"late"
        for call in calls:
            call.cancel()
        await asyncio.gather(*waiting)
        while service.budget.used:
            await asyncio.sleep(0.001)

    attacked(test, max_bytes=1_000, in_flight=4_000)


async def _code(call):
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        await call
    return await call.code()


@pytest.mark.parametrize("method", [PREDICT, CHECK, WATCH])
def test_a_message_that_does_not_come_is_given_up(attacked, monkeypatch, method):
    monkeypatch.setattr(grpc_reading, "_LOOK_SECONDS", 0.01)

    async def test(channel, service, app, port):
        async with refused("DEADLINE_EXCEEDED", "did not arrive in time"):
            if method == WATCH:
                await channel.stream_stream(method)().read()
            else:
                await begun(channel, method)

    attacked(test, max_bytes=1_000, body_seconds=0.1)


def test_a_call_without_a_message_is_refused(attacked):
    async def test(channel, service, app, port):
        call = begun(channel)
        await call.done_writing()
        async with refused("INVALID_ARGUMENT", "no message has arrived"):
            await call

    attacked(test)


def test_silent_health_checks_take_nothing_from_others(attacked, monkeypatch):
    monkeypatch.setattr(grpc_reading, "_LOOK_SECONDS", 0.01)

    async def test(channel, service, app, port):
        silent = [begun(channel, CHECK) for _ in range(50)]
        await asyncio.sleep(0.2)
        assert service.budget.used == 0
        check = health_pb2.HealthCheckRequest().SerializeToString()
        assert await channel.unary_unary(CHECK)(check)
        assert await channel.unary_unary(PREDICT)(b"x") == b"x"
        for call in silent:
            call.cancel()

    attacked(test, max_bytes=1_000)


def test_connections_are_bounded_and_silent_ones_are_closed(attacked):
    async def test(channel, service, app, port):
        assert await channel.unary_unary(PREDICT)(b"x") == b"x"
        with contextlib.ExitStack() as stack:
            plugs = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                for _ in range(8)
            ]
            ended = [await asyncio.to_thread(_ended, plug) for plug in plugs]
            assert sum(ended) >= 8
        assert await channel.unary_unary(PREDICT)(b"x") == b"x"

    attacked(test, connections=4, head_seconds=0.5)


def _ended(plug):
    """Return whether the server closes an idle connection."""
    with contextlib.suppress(ConnectionError):
        while plug.recv(1_000):
            pass
    return True
