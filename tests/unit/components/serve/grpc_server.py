"""A gRPC listener in the event loop of a test, and a channel to it."""

import contextlib

import grpc

from components.serve.grpc_listener import GrpcListener
from components.serve.settings import Address


@contextlib.asynccontextmanager
async def listening(service, **address):
    """Yield a listener, its port and a channel; the service's models are closed with it."""
    listener = GrpcListener(service, Address(port=0, **address))
    port = await listener.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield listener, port, channel
    finally:
        await listener.stop(0)
        await service.models.close()
