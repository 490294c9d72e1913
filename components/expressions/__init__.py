"""SQL expressions → a value for each row of a batch, by DuckDB."""
