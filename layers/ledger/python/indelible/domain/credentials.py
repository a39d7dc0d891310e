# SPDX-License-Identifier: Apache-2.0
"""Keys that are derived instead of stored, and the signature on a request.

Every organisation's secret is derived from one master secret with HKDF-SHA256 (RFC 5869), with the purpose, the
organisation and the key id in `info`. Creating an organisation therefore writes no secret, and a cold start reads one.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.record import GovernorKey

GOVERNOR_KEY_ID = "k1"


def hmac_secret(master: bytes, org_id: str, key_id: str) -> str:
    """The organisation's secret for one key id: 64 lower-case hex digits. Its UTF-8 bytes are the HMAC key."""
    return _derive(master, f"indelible/org-hmac@v1/{org_id}/{key_id}").hex()


def governor_key(master: bytes, org_id: str) -> GovernorKey:
    """The ledger's own key for `governor_signature`, which callers never learn."""
    return GovernorKey(
        key_id=GOVERNOR_KEY_ID, secret=_derive(master, f"indelible/governor@v1/{org_id}/{GOVERNOR_KEY_ID}")
    )


def sign(arguments: JsonObject, secret: str) -> str:
    """The `signature` argument: hex HMAC-SHA256(secret as UTF-8, JCS(arguments without `signature`))."""
    message = canonical_bytes({name: value for name, value in arguments.items() if name != "signature"})
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _derive(master: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(master)
