"""SQL expressions → a value for each row, by TensorFlow's ops: derived columns of the graph.

A value is a tensor [rows], or a scalar for a constant, with a mask of the rows where it is known.
Each function of `schemas.expressions.functions` has one implementation here, unless
`schemas.expressions.tensor_limits` refuses it. Values are those that `components.expressions.rows`
computes by DuckDB.
"""
