"""Serving paths, one a file; `components.parity.answers` lists them."""
