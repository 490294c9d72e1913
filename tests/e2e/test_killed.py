"""A killed run: its processes end within two seconds, and the next run removes what it left."""

import os
import subprocess
import sys
import tempfile
import time

import psutil
import pytest

pytestmark = pytest.mark.e2e

# The command, in which only the proof's stage has changed.
COMMAND = """
import sys
from pipeline import digests
code = digests.code
def changed(module, name, **more):
    return code(module, name, **more) + ("again" if name == "parity" else "")
digests.code = changed
digests.project = lambda: "again"
from pipeline.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def own_temporary(tmp_path, monkeypatch):
    """A folder for temporary files of this process and its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def wait_for_processes(process, folder):
    """Return all processes of the proof once those that answer have received their requests."""
    deadline = time.monotonic() + 300
    children: list[psutil.Process] = []
    # a process that forks a server and two others, and one more
    while len(list(folder.glob("**/*:CApi.calls.json"))) == 0 or len(children) < 5:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
    return children


@pytest.mark.long
def test_nobody_outlives_a_run_that_is_killed_and_the_next_one_removes_what_it_left(
    first, make_dataset, run_dataset, root, proof_of_the_first, own_temporary
):
    dataset = make_dataset()
    command = [sys.executable, "-c", COMMAND, "run", str(dataset), "--output", str(root)]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            children = wait_for_processes(process, own_temporary)
            assert len(children) == 5
            for child in children:
                child.suspend()  # otherwise they may end because they are done
        finally:
            process.kill()
    _, alive = psutil.wait_procs(children, timeout=2)
    for child in alive:
        child.kill()
    assert not alive
    (left,) = own_temporary.iterdir()

    outcome = run_dataset(dataset)
    assert outcome.error is None
    assert not left.exists()
    assert list(own_temporary.iterdir()) == []
