"""Proves that every way of serving a model gives what training computed."""
