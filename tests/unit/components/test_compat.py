"""Importing TensorFlow prints nothing to the terminal, and skips what is not needed."""

import importlib
import os
import sys

import pytest

from components.compat import absent, quiet_imports


@pytest.fixture(autouse=True)
def same_environment(monkeypatch):
    for name in ("TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL", "GRPC_VERBOSITY"):
        monkeypatch.setenv(name, os.environ.get(name, "0"))


def test_messages_of_the_log_library_are_left_out(capfd):
    with quiet_imports():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are ...\n")
        os.write(2, b"I0000 00:00:1795250592.389342      83 port.cc:153] oneDNN custom ...\n")
        os.write(2, b"E0000 00:00:1795250592.389342      83 port.cc:153] no memory\n")
        os.write(2, b"Illegal instruction\n")
    assert capfd.readouterr().err == (
        "E0000 00:00:1795250592.389342      83 port.cc:153] no memory\nIllegal instruction\n"
    )


def test_a_failed_import_shows_earlier_output(capfd):
    with pytest.raises(ImportError, match="libcuda"):
        _fail_to_import()
    assert capfd.readouterr().err == "cannot open shared object file\n"
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def _fail_to_import():
    with quiet_imports():
        os.write(2, b"cannot open shared object file\n")
        raise ImportError("libcuda")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is not imported yet."""
    (tmp_path / "only_here.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "only_here"
    sys.modules.pop("only_here", None)


def test_a_hidden_package_cannot_be_imported_until_the_block_is_left(package):
    with absent(package), pytest.raises(ModuleNotFoundError):
        importlib.import_module(package)
    assert importlib.import_module(package).ANSWER == 42


def test_it_is_no_longer_hidden_after_an_error(package):
    with pytest.raises(KeyError), absent(package):
        raise KeyError
    assert importlib.import_module(package).ANSWER == 42


def test_a_package_that_is_imported_already_stays(package):
    imported = importlib.import_module(package)
    with absent(package):
        assert importlib.import_module(package) is imported
    assert sys.modules[package] is imported
