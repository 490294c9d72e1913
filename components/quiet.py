"""Imported before the libraries, it keeps off the screen what nobody who sees it can heed.

Google's packages warn of Python's age, TFT of the Keras that `compat.quiet_environment` chooses.
"""

from __future__ import annotations

import warnings

from absl import logging

warnings.simplefilter("ignore", FutureWarning)
logging.set_verbosity(logging.ERROR)
