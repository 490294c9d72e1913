"""Configuration for the unit tests."""

from tests.leaks import nothing_is_left_open as nothing_is_left_open
