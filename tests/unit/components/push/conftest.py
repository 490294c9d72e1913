"""Folders that look like SavedModels."""

import os

import pytest


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def model(tmp_path):
    """Write a SavedModel with this graph; returns its path."""

    def make(graph=b"graph", name="model"):
        write(
            tmp_path / name,
            {
                "saved_model.pb": graph,
                "variables/variables.index": b"index",
                "variables/variables.data-00000-of-00001": bytes(range(256)) * 64,
                "assets/vocabulary_naïve": "Crédit\n".encode(),
                "assets.extra/tf_serving_warmup_requests": b"",
            },
        )
        return str(tmp_path / name)

    return make


@pytest.fixture
def read():
    """Read a folder as relative paths and contents, without files that a server ignores."""

    def contents(folder):
        found = {}
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                relative = os.path.relpath(path, folder)
                if not relative.startswith("."):
                    with open(path, "rb") as file:
                        found[relative] = file.read()
        return found

    return contents
