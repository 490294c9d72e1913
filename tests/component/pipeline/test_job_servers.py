"""Job servers end with the run that started them."""

import shutil
import signal
import subprocess
import sys

import psutil
import pytest

pytestmark = pytest.mark.component

KILLED = """
import os, signal, subprocess, psutil
from pipeline.job_servers import bound
server = subprocess.Popen(bound(["sleep", "600"]), stdout=subprocess.DEVNULL)
while psutil.Process(server.pid).name() != "sleep":
    pass
print(server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_the_server_of_a_run_that_is_killed_ends_with_it():
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    try:
        server = psutil.Process(int(killed.stdout))
    except psutil.NoSuchProcess:
        return
    gone, alive = psutil.wait_procs([server], timeout=30)
    for process in alive:
        process.kill()
    assert gone
