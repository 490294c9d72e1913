"""Checks the names of a request's inputs.

The error names the nearest input and, if another signature has the given inputs, that signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from components.serve.failures import RequestError
from components.serve.json_text import excerpt
from components.serve.signature import Signature
from schemas.errors import did_you_mean


class NamesError(RequestError):
    """A request whose inputs are not those of the signature.

    Args:
      message: what is wrong.
      given: the names of its inputs.
    """

    def __init__(self, message: str, given: Iterable[str]) -> None:
        super().__init__(message)
        self._given = frozenset(given)

    def of(self, name: str, named: bool, signatures: Mapping[str, Signature]) -> RequestError:
        """Return the error with the signatures that have these inputs, if there are any.

        Args:
          name: the signature of the request.
          named: whether the request named it.
          signatures: all signatures, by name.
        """
        fit = {
            other: (len(self._given & signature.inputs.keys()), -len(signature.inputs))
            for other, signature in sorted(signatures.items())
            if self._given & signature.inputs.keys()
        }
        best = [other for other, fits in fit.items() if fits == max(fit.values())]
        if not best or name in best:
            return self
        used = f"the signature is {name!r}"
        if not named:
            used = f"without 'signature_name', the signature is {name!r}"
        return RequestError(
            f"{self.message}; {used}: for these inputs, 'signature_name' may be: {', '.join(best)}"
        )


def check_names(
    given: Mapping[str, Any], signature: Signature, left_out: Mapping[str, Any], where: str
) -> None:
    """Check that the given names are the signature's inputs, and that none is missing.

    Raises:
      RequestError: they are not; the message begins with `where`.
    """
    for name in given:
        if name not in signature.inputs and name not in signature.ignored:
            near = did_you_mean(name, signature.inputs)
            message = f"{where} has an unknown input {excerpt(name)}; {near}"
            raise NamesError(message, given)
    missing = [n for n in signature.inputs if n not in given and n not in left_out]
    if missing:
        lacking = ", ".join(map(repr, missing))
        message = f"{where} lacks {lacking}; the inputs are {listed(signature)}"
        raise NamesError(message, given)


def listed(signature: Signature) -> str:
    """Return the names of a signature's inputs, sorted."""
    return ", ".join(map(repr, sorted(signature.inputs)))
