"""Libraries' output goes to the file, our own to the screen."""

import subprocess
import sys

NOISY = """
import logging, os, subprocess, sys, warnings
from pathlib import Path
from pipeline import logs
with logs.captured(Path(sys.argv[1])) as screen:
    print("python print")
    print("python error", file=sys.stderr)
    os.write(1, b"native out\\n")
    os.write(2, b"native err\\n")
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    logging.getLogger("library").warning("logged")
    warnings.warn("warned")
    screen.write("our words\\n")
print("after")
logging.getLogger("library").warning("logged after")
"""


def test_all_that_is_not_ours_goes_to_the_file(tmp_path):
    log = tmp_path / "run.log"
    done = subprocess.run(
        [sys.executable, "-c", NOISY, str(log)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "our words\nafter\n"
    assert done.stderr == "logged after\n"
    text = log.read_text(encoding="utf-8")
    for noise in ("python print", "python error", "native out", "native err", "child"):
        assert f"{noise}\n" in text
    assert "W library: logged\n" in text
    assert "UserWarning: warned" in text


FULL = """
import contextlib, logging
from pathlib import Path
from pipeline import logs
with logs.captured(Path("/dev/full")) as screen:
    with contextlib.suppress(OSError):
        print("lost")
    logging.getLogger("library").warning("lost")
    screen.write("our words\\n")
logging.getLogger("library").warning("logged after")
"""


def test_a_full_disk_takes_the_log_and_not_the_screen():
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("our words\n")
    assert done.stderr == "logged after\n"
