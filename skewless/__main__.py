"""The command `skewless`, also as `python -m skewless`."""

from __future__ import annotations

import sys

from skewless.own_packages import foreign_package

_WRONG_CONFIGURATION = 2  # the code of ConfigError, whose module may be hidden


def main() -> int:
    """Run this process's command line and return the exit code."""
    if (problem := foreign_package()) is not None:
        print(f"error: {problem}", file=sys.stderr)
        return _WRONG_CONFIGURATION
    from pipeline import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
