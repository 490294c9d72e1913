"""What the page's modules import."""

import subprocess
import sys


def test_a_page_is_made_without_tensorflow_and_beam():
    code = "import sys; import pipeline.report.page, pipeline.report.run_page;"
    code += "print({'tensorflow', 'apache_beam', 'tfx', 'keras'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
