"""The libraries inside the data page are those that were published."""

import hashlib

from pipeline.report.document import VENDOR

PUBLISHED = {
    "LICENSE.vega": None,
    "LICENSE.vega-lite": None,
    "README.md": None,
    "vega-interpreter.js": "c0bdb735a63f9276f136e8d90d7fdf5d8e9df8031eb069048fc9975c876fd7f9",
    "vega-lite.min.js": "35a9821df838825b05a6a73e9414b58747a1b18321583858ed903c66393a5c7e",
    "vega.min.js": "8f6a3587cf8d4f42c7e08120e3eb05d067e746d554e39d2dcf52acc0bd5ba28f",
}


def test_each_library_is_as_it_was_published():
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    assert found.keys() == PUBLISHED.keys()
    assert {name: found[name] for name, digest in PUBLISHED.items() if digest} == {
        name: digest for name, digest in PUBLISHED.items() if digest
    }
