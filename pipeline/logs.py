"""Sends what libraries print to a file and keeps the screen for our own output.

TensorFlow, absl, Beam and TFX log through Python's logging, warnings, and (from C++) file
descriptors 1 and 2. Inside `captured` all of this goes to one log file.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from schemas.secrets import RedactingFormatter

FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


@contextlib.contextmanager
def captured(log: Path) -> Iterator[TextIO]:
    """Redirect output, logging and warnings to `log`; yield a stream to the original screen."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        screen = stack.enter_context(
            os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace", buffering=1)
        )
        file = stack.enter_context(_opened(log))
        for descriptor in (1, 2):
            stack.enter_context(_redirected(descriptor, file.fileno()))
        stack.enter_context(_root_logging(file))
        yield screen


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[TextIO]:
    file = open(log, "a", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed below
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # on a full disk the rest of the log is lost
            file.close()


@contextlib.contextmanager
def _redirected(descriptor: int, target: int) -> Iterator[None]:
    saved = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # a full disk must not keep the screen redirected
                stream.flush()
        os.dup2(saved, descriptor)
        os.close(saved)


@contextlib.contextmanager
def _root_logging(file: TextIO) -> Iterator[None]:
    """Make `file` the only output of the root logger."""
    root = logging.getLogger()
    # absl keeps its own level once something has set its verbosity.
    loggers = [root, *([logging.getLogger("absl")] if "absl.logging" in sys.modules else [])]
    handlers, levels = root.handlers[:], [logger.level for logger in loggers]
    handler = logging.StreamHandler(file)
    handler.setFormatter(RedactingFormatter(FORMAT))
    root.handlers[:] = [handler]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
