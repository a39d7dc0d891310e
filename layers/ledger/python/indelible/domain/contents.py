# SPDX-License-Identifier: Apache-2.0
"""What a record says, parsed: for people, and for views. Verification never needs it.

Invariant: what is handed on has a canonical form (RFC 8785), like all that the ledger seals, so nothing that is made of
it can fail for its depth, its numbers or its characters. Which members an event has, and of which kind, is open.
"""

from __future__ import annotations

from typing import Any

from indelible.domain import canonical
from indelible.domain.record import UnknownFormat
from indelible.errors import InvalidRequest


def contents(data: bytes) -> dict[str, Any]:
    """The members of a record, `event` as an object. Raises UnknownFormat where the ledger cannot have written it."""
    try:
        said = canonical.decode(data)
        if not isinstance(said, dict):
            raise UnknownFormat("the record is no JSON object, or names a member twice")
        for value in said.values():
            canonical.check(value)
    except InvalidRequest as error:
        raise UnknownFormat(f"the record has no canonical form: {error.message}") from None
    if not isinstance(said.get("event"), dict):
        raise UnknownFormat("the record has no event")
    return said
