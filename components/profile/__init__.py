"""Looks at a table that nobody has described yet, and decides what each column is and becomes."""
