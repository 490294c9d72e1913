"""gRPC over real connections, with an app that needs no messages: codes, limits, token, stop."""

import asyncio
import contextlib
import socket

import grpc
import pytest

from components.serve.failures import NOT_FOUND, TOO_LARGE, RequestError
from components.serve.grpc_listener import GrpcListener
from components.serve.grpc_names import PREDICT
from components.serve.messages import Exchange
from components.serve.settings import Address
from schemas.errors import ConfigError
from tests.unit.components.serve.grpc_server import listening


class Echo:
    """Answers with the request, unless it should be refused."""

    def __init__(self, port):
        self.port = port
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.seconds = []

    async def answer(self, method, body, exchange, seconds):
        self.seconds.append(seconds)
        self.entered.set()
        await self.go.wait()
        if body == b"missing":
            raise RequestError("there is no model \udcff", NOT_FOUND)
        if body == b"long":
            raise RequestError("é" * 1_000_000, NOT_FOUND)
        if body == b"large":
            raise RequestError("too many rows", TOO_LARGE)
        if body == b"bug":
            raise KeyError("secret")
        return body


@pytest.fixture
def grpc_server(make_service):
    """Run `test(call, listener, app)` against a server; return its result."""

    def run(test, *, app=True, token=None, observers=(), **address):
        async def main():
            service = await make_service(token=token, observers=observers)
            async with listening(service, **address) as (listener, port, channel):
                echo = Echo(port)
                if app:
                    listener.serve(echo)
                return await test(channel.unary_unary(PREDICT), listener, echo)

        return asyncio.run(main())

    return run


@contextlib.asynccontextmanager
async def refused(code, message=""):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert caught.value.code() == getattr(grpc.StatusCode, code)
    assert message in caught.value.details()


def test_refusals_are_codes_with_a_sentence(grpc_server, caplog):
    async def test(call, listener, app):
        assert await call(b"x") == b"x"
        for body, code, message in (
            (b"missing", "NOT_FOUND", "there is no model \\udcff"),
            (b"long", "NOT_FOUND", "é" * 1_000),
            (b"large", "INVALID_ARGUMENT", "too many rows"),
            (b"bug", "INTERNAL", "internal error; see the server's log"),
            (b"x" * 1_000, "RESOURCE_EXHAUSTED", "larger than max"),
        ):
            async with refused(code, message):
                await call(body)

    grpc_server(test, max_bytes=900)
    assert "secret" in caplog.text


def test_until_the_model_is_loaded_requests_are_unavailable(grpc_server):
    async def test(call, listener, app):
        async with refused("UNAVAILABLE", "still being loaded"):
            await call(b"x")
        listener.serve(app)
        assert await call(b"x") == b"x"

    grpc_server(test, app=False)


def test_the_token_is_required(grpc_server):
    token = "s3cret-s3cret-s3cret"

    async def test(call, listener, app):
        for metadata in ((), (("authorization", token),), (("authorization", "Bearer no"),)):
            async with refused("UNAUTHENTICATED"):
                await call(b"x", metadata=metadata)
        assert await call(b"x", metadata=(("authorization", f"Bearer {token}"),)) == b"x"

    grpc_server(test, token=token)


def test_the_app_receives_the_clients_timeout(grpc_server):
    async def test(call, listener, app):
        await call(b"x", timeout=7)
        await call(b"x")
        assert 6 < app.seconds[0] < 8
        assert app.seconds[1] == float("inf")

    grpc_server(test)


def test_observers_receive_answers_and_refusals(grpc_server):
    class Notes(list[Exchange]):
        answered = list.append

    notes = Notes()

    async def test(call, listener, app):
        await call(b"x")
        async with refused("NOT_FOUND"):
            await call(b"missing")

    grpc_server(test, observers=[notes])
    assert [(n.protocol, n.method, n.status) for n in notes] == [
        ("grpc", "predict", 200),
        ("grpc", "predict", 404),
    ]
    assert notes[0].peer.startswith("ipv4:127.0.0.1:")


def test_a_certificate_is_shown(grpc_server, certificate):
    chain, key = certificate

    async def test(call, listener, app):
        with open(chain, "rb") as file:
            trusted = grpc.ssl_channel_credentials(file.read())
        async with grpc.aio.secure_channel(f"localhost:{app.port}", trusted) as channel:
            assert await channel.unary_unary(PREDICT)(b"x") == b"x"
        async with refused("UNAVAILABLE"):
            await call(b"x", timeout=10)  # without TLS

    grpc_server(test, certificate=chain, key=key)


def test_what_was_asked_before_the_end_is_answered(grpc_server):
    async def test(call, listener, app):
        app.go.clear()
        asked = asyncio.ensure_future(call(b"x"))
        await app.entered.wait()
        stopping = asyncio.create_task(listener.stop(10))
        await asyncio.sleep(0)
        assert not stopping.done()
        app.go.set()
        assert await asked == b"x"
        await stopping

    grpc_server(test)


def test_a_port_that_is_taken_is_reported(make_service):
    async def main(port):
        service = await make_service()
        try:
            await GrpcListener(service, Address(port=port)).start()
        finally:
            await service.models.close()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1:\d+") as caught:
            asyncio.run(main(taken.getsockname()[1]))
    assert caught.value.remedy == "give another --host or --grpc-port; 0 is any free port"


def test_an_invalid_certificate_is_reported(make_service, tmp_path):
    (tmp_path / "key").write_text("no key")

    async def main(certificate):
        service = await make_service()
        address = Address(port=0, certificate=certificate, key=str(tmp_path / "key"))
        try:
            await GrpcListener(service, address).start()
        finally:
            await service.models.close()

    for certificate in (tmp_path / "nothing", tmp_path / "key"):
        with pytest.raises(ConfigError):
            asyncio.run(main(str(certificate)))
