"""Sources of rows, one kind a file → blocks of typed columns + rejected records with reasons.

Shared by ingest, which learns from rows, and score, which scores them. `protocol` says what a kind
does, and is the one place that finds it.
"""
