"""Proves that every serving path gives what training computed."""
