# SPDX-License-Identifier: Apache-2.0
"""Parses a whole record, for display and for views. Verification does not need it.

Invariant: returned values have a canonical form (RFC 8785), like everything that the ledger seals, so processing them
cannot fail because of depth, numbers or characters. The members of an event and their types are not checked.
"""

from __future__ import annotations

from typing import Any

from indelible.domain import canonical
from indelible.domain.record import UnknownFormat
from indelible.errors import InvalidRequest


def contents(data: bytes) -> dict[str, Any]:
    """The members of a record, `event` as an object. Raises UnknownFormat if the ledger cannot have written it."""
    try:
        members = canonical.decode(data)
        if not isinstance(members, dict):
            raise UnknownFormat("the record is not a JSON object, or names a member twice")
        for value in members.values():
            canonical.check(value)
    except InvalidRequest as error:
        raise UnknownFormat(f"the record has no canonical form: {error.message}") from None
    if not isinstance(members.get("event"), dict):
        raise UnknownFormat("the record has no event")
    return members
