"""Hides warnings of libraries that users can do nothing about; import this before the libraries.

Google's packages warn about Python's age, TFT about the Keras of `compat.quiet_environment`.
"""

from __future__ import annotations

import warnings

from absl import logging

warnings.simplefilter("ignore", FutureWarning)
logging.set_verbosity(logging.ERROR)
