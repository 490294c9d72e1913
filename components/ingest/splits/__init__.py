"""Implementations of splits, one module for each kind; see `protocol.Splitter`."""
