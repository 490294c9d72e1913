"""Sources of rows, one file for each kind: blocks of typed columns, and rejects with reasons.

Ingest and score share them. `protocol` has the interface, and is the only place that imports a kind
by its name.
"""
