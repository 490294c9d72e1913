"""The README names exactly the Debian packages that the clean room installs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_names_the_packages_that_the_clean_room_installs():
    lines = (ROOT / "requirements/debian-packages.txt").read_text().splitlines()
    needed = [line for line in lines if line and not line.startswith("#")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^# apt-get install (.+)$", readme, re.MULTILINE)
    assert [line.split() for line in named] == [needed]
