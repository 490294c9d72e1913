"""DuckDB's syntax by sqlglot, with all functions as they are written."""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, SqlglotError

from schemas.expressions.calls import ExpressionError


class _Parser(DuckDB.Parser):
    """Keeps the names of functions, which sqlglot would translate between dialects."""

    FUNCTIONS: dict[str, Any] = {}  # noqa: RUF012 - as sqlglot declares its own
    NO_PAREN_FUNCTIONS: dict[Any, Any] = {}  # noqa: RUF012
    FUNCTION_PARSERS = {  # noqa: RUF012
        name: DuckDB.Parser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT")
    }


def syntax_tree(text: str) -> exp.Expression:
    """Return sqlglot's tree of an expression.

    Raises:
      ExpressionError: it is not an expression in DuckDB's SQL.
    """
    dialect = DuckDB()
    try:
        found = _Parser(dialect=dialect).parse(dialect.tokenize(text), text)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        near = f"{first.get('start_context') or ''}{first.get('highlight') or ''}"
        raise ExpressionError(
            f"it cannot be read after {near[-40:]!r}" if near else "it cannot be read",
            expected="an expression in SQL, such as: fare > 0 and payment in ('Cash', 'Card')",
            remedy='complete it; a column named like a word of SQL is written as "order"',
        ) from error
    except SqlglotError as error:
        raise ExpressionError(
            "it cannot be read: a quote or a comment is not closed",
            expected="texts in single quotes, names with spaces in double quotes",
        ) from error
    if len(found) != 1 or found[0] is None:
        raise ExpressionError("it has no value or several", expected="one expression")
    return found[0]
