"""Requests within the size limit that would take far more time or memory than others."""

import gzip

from components.serve import grpc_names
from tests.component.serve.fuzz import rest

_LONG = 6_000_000  # bytes, of the 16 MiB limit
_REGRESSION = b'{"signature_name":"regression","examples":['
_RAW = b'{"signature_name":"raw_columns","instances":['


def rest_requests():
    """Yield the status of the refusal, and the bytes, of each REST request."""
    yield 413, _post("predict", b"[" * (16 << 20) + b"[")
    yield 413, _post("predict", gzip.compress(bytes(64 << 20), mtime=0), packed=True)
    yield 400, _post("predict", b"[" * _LONG)
    yield 400, _post("predict", b'{"instances":[NaN,' + b"9" * _LONG + b"]}")
    yield 400, _post("predict", _RAW + b'{"' + b"age " * (_LONG // 4) + b'":1}]}')
    yield 400, _post("predict", _RAW + b"{}," * (_LONG // 3) + b"{}]}")
    yield 413, _post("regress", _REGRESSION + b"{}," * (_LONG // 3) + b"{}]}")
    yield 400, _post("regress", _REGRESSION + b'{"' + b"n" * _LONG + b'":null}]}')
    context = b",".join(b'"%d":1' % number for number in range(50_000))
    yield 413, _post("regress", _REGRESSION + b"{}," * 999 + b'{}],"context":{' + context + b"}}")


def _post(method, body, *, packed=False):
    lines = [
        f"POST {rest.MODEL}:{method} HTTP/1.1",
        "Host: localhost",
        f"Content-Encoding: {'gzip' if packed else 'identity'}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def grpc_requests(right):
    """Yield the method and the bytes of each gRPC request; `right` are pairs of right ones."""
    by_method = dict(right)
    for method, change in _CHANGES:
        message = type(by_method[method])()
        message.CopyFrom(by_method[method])
        change(message)
        yield method, message.SerializeToString()
    yield grpc_names.PREDICT, b"\x0a" + bytes(64 << 20)  # some 64 KiB, packed


def _many_models(message):
    for number in range(50_000):
        message.config.model_config_list.config.add(name=str(number))


def _long_names(message):
    for _ in range(2):
        message.config.model_config_list.config.add(name="é" * 1_000_000)


def _many_tasks(message):
    for number in range(50_000):
        spec = message.tasks.add(method_name="tensorflow/serving/regress").model_spec
        spec.name, spec.signature_name = "tiny", str(number)


def _many_examples(message):
    for _ in range(200_000):
        message.input.example_list.examples.add()


def _large_context(message):
    listed = message.input.example_list_with_context
    listed.context.features.feature["x"].bytes_list.value.append(bytes(_LONG))
    for _ in range(10_000):
        listed.examples.add()


def _huge_shape(message):
    message.inputs["age"].tensor_shape.dim[0].size = 2**40


_CHANGES = [
    (grpc_names.RELOAD_CONFIG, _many_models),
    (grpc_names.RELOAD_CONFIG, _long_names),
    (grpc_names.MULTI_INFERENCE, _many_tasks),
    (grpc_names.REGRESS, _many_examples),
    (grpc_names.CLASSIFY, _large_context),
    (grpc_names.PREDICT, _huge_shape),
]
