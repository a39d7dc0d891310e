# SPDX-License-Identifier: Apache-2.0
"""The external anchoring providers, from the environment variable INDELIBLE_EXTERNAL_ANCHORS.

Invariant: absent or empty means none; a value that cannot be read is a ConfigurationError, never ignored.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from indelible.domain.note import COSIGNATURE, NoteError, VerifierKey, parse_verifier_key
from indelible.errors import ConfigurationError

_Addresses = dict[str, Annotated[str, Meta(pattern="^https?://")]]


class ExternalSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Providers and their URLs: by name, and for witnesses by verifier key (`name+hash+key`, C2SP signed-note).

    `witness_quorum`: how many witnesses make a checkpoint witnessed.
    """

    timestamp_authorities: _Addresses = {}
    calendars: _Addresses = {}
    witnesses: _Addresses = {}
    witness_quorum: Annotated[int, Meta(ge=1)] | None = None

    def witness_keys(self) -> dict[VerifierKey, str]:
        """The URLs of witnesses by key. Raises ConfigurationError for a key that is not a witness's."""
        found = {}
        for text, url in self.witnesses.items():
            try:
                key = parse_verifier_key(text)
            except NoteError as error:
                raise ConfigurationError(f"INDELIBLE_EXTERNAL_ANCHORS: witnesses: {error}") from None
            if key.kind != COSIGNATURE:
                raise ConfigurationError("INDELIBLE_EXTERNAL_ANCHORS: witnesses: a witness's key is of the kind 0x04")
            found[key] = url
        return found


def load(text: str) -> ExternalSettings:
    """Read the variable's JSON. Raises ConfigurationError."""
    if not text:
        return ExternalSettings()
    try:
        return msgspec.json.decode(text.encode(), type=ExternalSettings)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"INDELIBLE_EXTERNAL_ANCHORS: {error}") from None
