"""The subcommand: what is wrong with the command line is said before TensorFlow is imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
CODE = """
import sys
from pipeline.cli import main
code = main(sys.argv[1:])
print(code, "tensorflow" in sys.modules)
"""


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", CODE, "serve", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_path_that_is_no_model_is_said_at_once(tmp_path):
    done = run(str(tmp_path / "nothing"))
    assert done.stdout == "2 False\n"
    assert "error: there is no folder" in done.stderr
    assert "skewless run taxi" in done.stderr


def test_an_option_out_of_range_is_said_at_once(tmp_path):
    done = run(str(tmp_path), "--port", "70000")
    assert done.stdout == "2 False\n"
    assert "70000" in done.stderr
