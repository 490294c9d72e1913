"""gRPC's health checks, with the protocol's own stubs."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from components.serve.failures import RequestError
from components.serve.grpc_health import Health
from tests.unit.components.serve.grpc_server import listening

STATUS = health_pb2.HealthCheckResponse.ServingStatus
PREDICTION = "tensorflow.serving.PredictionService"


@pytest.fixture
def ask_health(make_service):
    """Run `test(stub, service, listener)` against a server whose model is not loaded yet."""

    def run(test, **settings):
        async def main():
            service = await make_service(loaded=False, **settings)
            async with listening(service) as (listener, _, channel):
                return await test(health_pb2_grpc.HealthStub(channel), service, listener)

        return asyncio.run(main())

    return run


def asked(service=""):
    return health_pb2.HealthCheckRequest(service=service)


def test_check_is_readyz_and_needs_no_token(ask_health):
    async def test(stub, service, listener):
        names = ("", PREDICTION, "tensorflow.serving.ModelService")
        seen = [STATUS.Name((await stub.Check(asked(name))).status) for name in names]
        await service.models.update()
        seen += [STATUS.Name((await stub.Check(asked(name))).status) for name in names]
        service.draining = True
        return [*seen, STATUS.Name((await stub.Check(asked())).status)]

    seen = ask_health(test, token="s3cret-s3cret-s3cret")
    assert seen == ["NOT_SERVING"] * 3 + ["SERVING"] * 3 + ["NOT_SERVING"]


def test_a_service_that_is_not_here_is_not_found(ask_health):
    async def test(stub, service, listener):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(asked("taxi"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        assert caught.value.details() == "there is no service 'taxi' here"
        async for response in stub.Watch(asked("taxi")):  # and may exist later
            assert STATUS.Name(response.status) == "SERVICE_UNKNOWN"
            break

    ask_health(test)


def test_a_watching_client_receives_changes_and_the_end(ask_health):
    async def test(stub, service, listener):
        states = asyncio.Queue[str]()

        async def watch():
            async for response in stub.Watch(asked()):
                states.put_nowait(STATUS.Name(response.status))

        watching = asyncio.create_task(watch())
        seen = [await states.get()]
        await service.models.update()
        listener.changed()
        seen.append(await states.get())
        listener.changed()  # the state is the same, so there is no response
        service.draining = True
        await asyncio.wait_for(listener.stop(60), 10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watching
        return [*seen, await states.get()], caught.value.code(), caught.value.details()

    seen, code, details = ask_health(test)
    assert seen == ["NOT_SERVING", "SERVING", "NOT_SERVING"]
    assert (code, details) == (grpc.StatusCode.UNAVAILABLE, "the server is about to stop")


def test_bytes_that_are_not_a_request_are_the_clients_fault(make_service):
    async def main():
        health = Health(await make_service())
        with pytest.raises(RequestError) as check:
            health.check(b"\xff")
        with pytest.raises(RequestError) as watch:
            await anext(health.watch(b"\xff"))
        return {(each.value.status, each.value.message) for each in (check, watch)}

    assert asyncio.run(main()) == {(400, "the request is not a grpc.health.v1.HealthCheckRequest")}
