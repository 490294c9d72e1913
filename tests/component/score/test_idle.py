"""An idle stream, which may run for weeks on a machine with other work."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import psutil
import pytest

from components import files
from pipeline import cli

pytestmark = [pytest.mark.component, pytest.mark.alone]

LOOKS = 2_000
WARM_UP = 500  # looks
LOOK_SECONDS = 0.5
MEASURED_SECONDS = 10.0


def command(serving, tmp_path, *options):
    (tmp_path / "in").mkdir()
    places = ["--output", str(tmp_path / "out"), "--dead-letters", str(tmp_path / "dead")]
    return ["stream", str(serving), "--input", str(tmp_path / "in/*.csv"), *places, *options]


def test_thousands_of_looks_take_no_memory_and_end_with_counts(
    serving, tmp_path, monkeypatch, capfd
):
    sizes: list[int] = []
    find = files.find

    def look(*arguments):
        if len(sizes) == WARM_UP:
            tracemalloc.start()
        sizes.append(tracemalloc.get_traced_memory()[0])
        if len(sizes) == WARM_UP + LOOKS:
            os.kill(os.getpid(), signal.SIGTERM)
        return find(*arguments)

    monkeypatch.setattr(files, "find", look)
    try:
        assert cli.main(command(serving, tmp_path, "--look", "0.00001")) == 0
    finally:
        tracemalloc.stop()
    assert len(sizes) == WARM_UP + LOOKS
    assert max(sizes) < 128 << 10  # 64 bytes a look; an unbounded pipeline takes some 40,000
    assert capfd.readouterr().out.endswith(f"0 rows read, 0 scored\nscores: {tmp_path / 'out'}\n")


def test_an_idle_stream_takes_hardly_any_of_a_processor_and_no_memory(serving, tmp_path):
    arguments = command(serving, tmp_path, "--look", str(LOOK_SECONDS))
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(300, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            while not (line := process.stdout.readline()).endswith(" s\n"):
                assert line, process.stderr.read()  # until it has loaded TensorFlow
            time.sleep(4 * LOOK_SECONDS)  # until it has built its pipeline
            found = psutil.Process(process.pid)
            seconds, bytes_before = sum(found.cpu_times()[:2]), found.memory_info().rss
            time.sleep(MEASURED_SECONDS)
            seconds, bytes_after = (
                sum(found.cpu_times()[:2]) - seconds,
                found.memory_info().rss,
            )
            process.terminate()
            output, errors = process.communicate(timeout=60)
        finally:
            watchdog.cancel()
            process.kill()
    assert process.returncode == 0, errors
    assert output.endswith(f"0 rows read, 0 scored\nscores: {tmp_path / 'out'}\n")
    assert seconds < 0.02 * MEASURED_SECONDS
    assert bytes_after - bytes_before < 1 << 20
