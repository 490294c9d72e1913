"""Installed distributions that a test makes up."""

from collections.abc import Sequence
from pathlib import Path


def install(
    site: Path,
    name: str,
    *,
    version: str = "1",
    files: Sequence[str] = (),
    requires: Sequence[str] = (),
) -> None:
    """Write a distribution's metadata into a folder of libraries.

    Args:
      site: the folder.
      name: of the distribution.
      version: of it.
      files: that its RECORD lists.
      requires: its requirements.
    """
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n{needed}\nAbout it.\n")
    (metadata / "RECORD").write_text("".join(f"{file},sha256=abc,10\n" for file in files))
