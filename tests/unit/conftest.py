"""What the quick tests share."""

from tests.leaks import nothing_is_left_open as nothing_is_left_open
