"""Signatures of exports, and a model that computes them without TensorFlow."""

import asyncio
import ipaddress
import threading
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.serve import unpacking
from components.serve.app import App
from components.serve.config import ModelConfig, Policy
from components.serve.failures import RequestError
from components.serve.folders import Base
from components.serve.listener import Listener
from components.serve.service import Service
from components.serve.settings import Address, Settings
from components.serve.signature import Signature, Tensor
from components.serve.versions import Models

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
PREDICT = "tensorflow/serving/predict"


@pytest.fixture(autouse=True, scope="session")
def loops_of_the_command():
    """Create event loops with uvloop, as `skewless serve` does."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)


@pytest.fixture
def held_unpacking(monkeypatch):
    """Pause decompression: an event that reports it, and one that lets it continue."""
    entered, go = threading.Event(), threading.Event()
    unpacked = unpacking.unpacked

    def held(body, most):
        entered.set()
        assert go.wait(10)
        return unpacked(body, most)

    monkeypatch.setattr(unpacking, "unpacked", held)
    return entered, go


def tensor(dtype, *shape):
    return Tensor("t:0", dtype, shape)


@pytest.fixture
def columns():
    """A signature with one column of each kind."""
    return Signature(
        inputs={
            "fare": tensor("DT_FLOAT", -1),
            "trips": tensor("DT_DOUBLE", -1),
            "company": tensor("DT_STRING", -1),
        },
        outputs={"scores": tensor("DT_FLOAT", -1), "logits": tensor("DT_FLOAT", -1)},
        method_name=PREDICT,
        left_out={"fare": float("nan"), "trips": float("nan"), "company": b""},
    )


@pytest.fixture
def one_input():
    """Return a signature of one input of this type and shape."""

    def make(dtype, *shape, method=PREDICT):
        return Signature(
            {"x": tensor(dtype, *shape)}, {"y": tensor("DT_FLOAT", -1)}, method_name=method
        )

    return make


class Doubler:
    """A model whose scores are twice the fares; it refuses negative ones."""

    def __init__(self, columns):
        examples = {"inputs": tensor("DT_STRING", -1)}
        self.signatures = {
            "serving_default": columns,
            "regression": Signature(examples, {"outputs": tensor("DT_FLOAT", -1)}, REGRESS),
            "classification": Signature(examples, {"scores": tensor("DT_FLOAT", -1, 2)}, CLASSIFY),
        }
        self.batches = []
        self.closed = False

    def run(self, signature, inputs):
        first = next(iter(inputs.values()))
        self.batches.append((signature, len(first)))
        if signature == "regression":
            return {"outputs": np.array([len(v) for v in first], np.float32)}
        if signature == "classification":
            return {"scores": np.array([[0.25, 0.75]] * len(first), np.float32)}
        if (inputs["fare"] < 0).any():
            raise RequestError("a fare is negative")
        return {"scores": inputs["fare"] * 2, "logits": inputs["fare"]}

    def close(self):
        self.closed = True


@pytest.fixture
def model(columns):
    return Doubler(columns)


@pytest.fixture
def serving(tmp_path):
    """A serving folder with version 3."""
    return add_version(tmp_path / "serving", 3).parent


def add_version(serving, version):
    """Add a folder that looks like a SavedModel's."""
    folder = serving / str(version)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a certificate of "localhost" and 127.0.0.1, and of its private key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")


@pytest.fixture
def make_service(model, serving):
    """Create a service with the model as version 3 of "taxi"; await it in the test's loop."""

    async def make(*, loaded=True, observers=(), labels=None, **settings):
        chosen = Settings(**settings)
        models = Models(lambda path: model, chosen.queue)
        config = ModelConfig("taxi", Base(str(serving)), Policy(), labels or {})
        models.configure([config])
        if loaded:
            await models.update()
        return Service(models, chosen, observers)

    return make


@pytest.fixture
def make_app(make_service):
    """Create an app with the model as version 3 of "taxi"; await it in the test's loop."""

    async def make(**options):
        return App(await make_service(**options))

    return make


@pytest.fixture
def talk(make_app):
    """Run `client(port, stop)` in a thread against a server; return the client's result."""

    def run(client, app=None, drain_seconds=10.0, **address):
        async def main():
            listener = Listener(app or await make_app(), Address(port=0, **address))
            port = await listener.start()
            loop = asyncio.get_running_loop()

            def stop():
                stopped = asyncio.run_coroutine_threadsafe(listener.stop(drain_seconds), loop)
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)  # it has begun
                return stopped

            try:
                return await asyncio.to_thread(client, port, stop)
            finally:
                await asyncio.wait_for(listener.stop(drain_seconds), 20)

        return asyncio.run(main())

    return run
